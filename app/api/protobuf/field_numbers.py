"""Field numbers of Kubernetes' protobuf messages, for the fields that the models have.

They are part of the wire, as JSON names are, and never change. `!` marks a map whose values are `Quantity` messages,
`-` a field whose zero value Go writes although it has no meaning. A field that has no number here has none in
Kubernetes 1.33 either.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

_TABLE = {
    "io.k8s.api.authentication.v1.BoundObjectReference": "kind=1 apiVersion=2 name=3 uid=4",
    "io.k8s.api.authentication.v1.SelfSubjectReview": "metadata=1 status=2",
    "io.k8s.api.authentication.v1.SelfSubjectReviewStatus": "userInfo=1",
    "io.k8s.api.authentication.v1.TokenRequest": "metadata=1 spec=2 status=3",
    "io.k8s.api.authentication.v1.TokenRequestSpec": "audiences=1 boundObjectRef=3 expirationSeconds=4",
    "io.k8s.api.authentication.v1.TokenRequestStatus": "token=1 expirationTimestamp=2",
    "io.k8s.api.authentication.v1.TokenReview": "metadata=1 spec=2 status=3",
    "io.k8s.api.authentication.v1.TokenReviewSpec": "token=1 audiences=2",
    "io.k8s.api.authentication.v1.TokenReviewStatus": "authenticated=1 user=2 error=3 audiences=4",
    "io.k8s.api.authentication.v1.UserInfo": "username=1 uid=2 groups=3",
    "io.k8s.api.authorization.v1.FieldSelectorAttributes": "rawSelector=1 requirements=2",
    "io.k8s.api.authorization.v1.LabelSelectorAttributes": "rawSelector=1 requirements=2",
    "io.k8s.api.authorization.v1.NonResourceAttributes": "path=1 verb=2",
    "io.k8s.api.authorization.v1.NonResourceRule": "verbs=1 nonResourceURLs=2",
    "io.k8s.api.authorization.v1.LocalSubjectAccessReview": "metadata=1 spec=2 status=3",
    "io.k8s.api.authorization.v1.ResourceAttributes": (
        "namespace=1 verb=2 group=3 version=4 resource=5 subresource=6 name=7 fieldSelector=8 labelSelector=9"
    ),
    "io.k8s.api.authorization.v1.ResourceRule": "verbs=1 apiGroups=2 resources=3 resourceNames=4",
    "io.k8s.api.authorization.v1.SelfSubjectAccessReview": "metadata=1 spec=2 status=3",
    "io.k8s.api.authorization.v1.SelfSubjectAccessReviewSpec": "resourceAttributes=1 nonResourceAttributes=2",
    "io.k8s.api.authorization.v1.SelfSubjectRulesReview": "metadata=1 spec=2 status=3",
    "io.k8s.api.authorization.v1.SelfSubjectRulesReviewSpec": "namespace=1",
    "io.k8s.api.authorization.v1.SubjectAccessReview": "metadata=1 spec=2 status=3",
    "io.k8s.api.authorization.v1.SubjectAccessReviewSpec": (
        "resourceAttributes=1 nonResourceAttributes=2 user=3 groups=4 uid=6"
    ),
    "io.k8s.api.authorization.v1.SubjectAccessReviewStatus": "allowed=1 reason=2 evaluationError=3 denied=4",
    "io.k8s.api.authorization.v1.SubjectRulesReviewStatus": (
        "resourceRules=1 nonResourceRules=2 incomplete=3 evaluationError=4"
    ),
    "io.k8s.api.coordination.v1.Lease": "metadata=1 spec=2",
    "io.k8s.api.coordination.v1.LeaseSpec": (
        "holderIdentity=1 leaseDurationSeconds=2 acquireTime=3 renewTime=4 leaseTransitions=5 strategy=6 "
        "preferredHolder=7"
    ),
    "io.k8s.api.core.v1.ClientIPConfig": "timeoutSeconds=1",
    "io.k8s.api.core.v1.ConfigMap": "metadata=1 data=2 binaryData=3 immutable=4",
    "io.k8s.api.core.v1.Container": (
        "name=1 image=2 command=3 args=4 workingDir=5 ports=6 terminationMessagePath=13 imagePullPolicy=14 "
        "stdin=16 stdinOnce=17 tty=18 terminationMessagePolicy=20 restartPolicy=24"
    ),
    "io.k8s.api.core.v1.ContainerImage": "names=1 sizeBytes=2",
    "io.k8s.api.core.v1.ContainerPort": "name=1 hostPort=2 containerPort=3 protocol=4 hostIP=5",
    "io.k8s.api.core.v1.ContainerState": "waiting=1 running=2 terminated=3",
    "io.k8s.api.core.v1.ContainerStateRunning": "startedAt=1",
    "io.k8s.api.core.v1.ContainerStateTerminated": (
        "exitCode=1 signal=2 reason=3 message=4 startedAt=5 finishedAt=6 containerID=7"
    ),
    "io.k8s.api.core.v1.ContainerStateWaiting": "reason=1 message=2",
    "io.k8s.api.core.v1.ContainerStatus": (
        "name=1 state=2 lastState=3 ready=4 restartCount=5 image=6 imageID=7 containerID=8 started=9 stopSignal=15"
    ),
    "io.k8s.api.core.v1.DaemonEndpoint": "Port=1",
    "io.k8s.api.core.v1.EndpointAddress": "ip=1 targetRef=2 hostname=3 nodeName=4",
    "io.k8s.api.core.v1.EndpointPort": "name=1 port=2 protocol=3 appProtocol=4",
    "io.k8s.api.core.v1.EndpointSubset": "addresses=1 notReadyAddresses=2 ports=3",
    "io.k8s.api.core.v1.Endpoints": "metadata=1 subsets=2",
    "io.k8s.api.core.v1.Event": (
        "metadata=1 involvedObject=2 reason=3 message=4 source=5 firstTimestamp=6 lastTimestamp=7 count=8 "
        "type=9 eventTime=10 series=11 action=12 related=13 reportingComponent=14 reportingInstance=15"
    ),
    "io.k8s.api.core.v1.EventSeries": "count=1 lastObservedTime=2",
    "io.k8s.api.core.v1.EventSource": "component=1 host=2",
    "io.k8s.api.core.v1.HostIP": "ip=1",
    "io.k8s.api.core.v1.LoadBalancerIngress": "ip=1 hostname=2 ipMode=3 ports=4",
    "io.k8s.api.core.v1.LoadBalancerStatus": "ingress=1",
    "io.k8s.api.core.v1.LocalObjectReference": "name=1",
    "io.k8s.api.core.v1.Namespace": "metadata=1 spec=2 status=3",
    "io.k8s.api.core.v1.NamespaceSpec": "finalizers=1",
    "io.k8s.api.core.v1.NamespaceStatus": "phase=1 conditions=2",
    "io.k8s.api.core.v1.Node": "metadata=1 spec=2 status=3",
    "io.k8s.api.core.v1.NodeAddress": "type=1 address=2",
    "io.k8s.api.core.v1.NodeCondition": "type=1 status=2 lastHeartbeatTime=3 lastTransitionTime=4 reason=5 message=6",
    "io.k8s.api.core.v1.NodeDaemonEndpoints": "kubeletEndpoint=1",
    "io.k8s.api.core.v1.NodeSpec": "podCIDR=1 externalID=2 providerID=3 unschedulable=4 taints=5 podCIDRs=7",
    "io.k8s.api.core.v1.NodeStatus": (
        "phase=3 conditions=4 addresses=5 daemonEndpoints=6 nodeInfo=7 images=8 volumesInUse=9"
    ),
    "io.k8s.api.core.v1.NodeSystemInfo": (
        "machineID=1 systemUUID=2 bootID=3 kernelVersion=4 osImage=5 containerRuntimeVersion=6 "
        "kubeletVersion=7 kubeProxyVersion=8 operatingSystem=9 architecture=10"
    ),
    "io.k8s.api.core.v1.ObjectReference": "kind=1 namespace=2 name=3 uid=4 apiVersion=5 resourceVersion=6 fieldPath=7",
    "io.k8s.api.core.v1.Pod": "metadata=1 spec=2 status=3",
    "io.k8s.api.core.v1.PodCondition": (
        "type=1 status=2 lastProbeTime=3 lastTransitionTime=4 reason=5 message=6 observedGeneration=7"
    ),
    "io.k8s.api.core.v1.PodIP": "ip=1",
    "io.k8s.api.core.v1.PodReadinessGate": "conditionType=1",
    "io.k8s.api.core.v1.PodSpec": (
        "containers=2 restartPolicy=3 terminationGracePeriodSeconds=4 activeDeadlineSeconds=5 dnsPolicy=6 "
        "nodeSelector=7 serviceAccountName=8 serviceAccount=9 nodeName=10 hostNetwork=11 hostPID=12 "
        "hostIPC=13 hostname=16 subdomain=17 schedulerName=19 initContainers=20 "
        "automountServiceAccountToken=21 priorityClassName=24 priority=25 shareProcessNamespace=27 "
        "readinessGates=28 runtimeClassName=29 enableServiceLinks=30 preemptionPolicy=31 setHostnameAsFQDN=35 "
        "hostUsers=37"
    ),
    "io.k8s.api.core.v1.PodStatus": (
        "phase=1 conditions=2 message=3 reason=4 hostIP=5 podIP=6 startTime=7 containerStatuses=8 qosClass=9 "
        "initContainerStatuses=10 nominatedNodeName=11 podIPs=12 ephemeralContainerStatuses=13 resize=14 "
        "hostIPs=16 observedGeneration=17"
    ),
    "io.k8s.api.core.v1.PortStatus": "port=1 protocol=2 error=3",
    "io.k8s.api.core.v1.ResourceQuota": "metadata=1 spec=2 status=3",
    "io.k8s.api.core.v1.ResourceQuotaSpec": "hard=1! scopes=2 scopeSelector=3",
    "io.k8s.api.core.v1.ResourceQuotaStatus": "hard=1! used=2!",
    "io.k8s.api.core.v1.ScopeSelector": "matchExpressions=1",
    "io.k8s.api.core.v1.ScopedResourceSelectorRequirement": "scopeName=1 operator=2 values=3",
    "io.k8s.api.core.v1.Secret": "metadata=1 data=2 type=3 stringData=4 immutable=5",
    "io.k8s.api.core.v1.Service": "metadata=1 spec=2 status=3",
    "io.k8s.api.core.v1.ServiceAccount": "metadata=1 secrets=2 imagePullSecrets=3 automountServiceAccountToken=4",
    "io.k8s.api.core.v1.ServicePort": "name=1 protocol=2 port=3 targetPort=4 nodePort=5 appProtocol=6",
    "io.k8s.api.core.v1.ServiceSpec": (
        "ports=1 selector=2 clusterIP=3 type=4 externalIPs=5 sessionAffinity=7 loadBalancerIP=8 "
        "loadBalancerSourceRanges=9 externalName=10 externalTrafficPolicy=11 healthCheckNodePort=12 "
        "publishNotReadyAddresses=13 sessionAffinityConfig=14 ipFamilyPolicy=17 clusterIPs=18 ipFamilies=19 "
        "allocateLoadBalancerNodePorts=20 loadBalancerClass=21 internalTrafficPolicy=22 "
        "trafficDistribution=23"
    ),
    "io.k8s.api.core.v1.ServiceStatus": "loadBalancer=1 conditions=2",
    "io.k8s.api.core.v1.SessionAffinityConfig": "clientIP=1",
    "io.k8s.api.core.v1.Taint": "key=1 value=2 effect=3 timeAdded=4",
    "io.k8s.api.discovery.v1.Endpoint": (
        "addresses=1 conditions=2 hostname=3 targetRef=4 deprecatedTopology=5 nodeName=6 zone=7 hints=8"
    ),
    "io.k8s.api.discovery.v1.EndpointConditions": "ready=1 serving=2 terminating=3",
    "io.k8s.api.discovery.v1.EndpointHints": "forZones=1 forNodes=2",
    "io.k8s.api.discovery.v1.EndpointPort": "name=1 protocol=2 port=3 appProtocol=4",
    "io.k8s.api.discovery.v1.EndpointSlice": "metadata=1 endpoints=2 ports=3 addressType=4",
    "io.k8s.api.discovery.v1.ForNode": "name=1",
    "io.k8s.api.discovery.v1.ForZone": "name=1",
    "io.k8s.api.events.v1.Event": (
        "metadata=1 eventTime=2 series=3 reportingController=4 reportingInstance=5 action=6 reason=7 "
        "regarding=8 related=9 note=10 type=11 deprecatedSource=12 deprecatedFirstTimestamp=13 "
        "deprecatedLastTimestamp=14 deprecatedCount=15"
    ),
    "io.k8s.api.events.v1.EventSeries": "count=1 lastObservedTime=2",
    "io.k8s.api.networking.v1.IPAddress": "metadata=1 spec=2",
    "io.k8s.api.networking.v1.IPAddressSpec": "parentRef=1",
    "io.k8s.api.networking.v1.ParentReference": "group=1 resource=2 namespace=3 name=4",
    "io.k8s.api.networking.v1.ServiceCIDR": "metadata=1 spec=2 status=3",
    "io.k8s.api.networking.v1.ServiceCIDRSpec": "cidrs=1",
    "io.k8s.api.networking.v1.ServiceCIDRStatus": "conditions=1",
    "io.k8s.api.rbac.v1.AggregationRule": "clusterRoleSelectors=1",
    "io.k8s.api.rbac.v1.ClusterRole": "metadata=1 rules=2 aggregationRule=3",
    "io.k8s.api.rbac.v1.ClusterRoleBinding": "metadata=1 subjects=2 roleRef=3",
    "io.k8s.api.rbac.v1.PolicyRule": "verbs=1 apiGroups=2 resources=3 resourceNames=4 nonResourceURLs=5",
    "io.k8s.api.rbac.v1.Role": "metadata=1 rules=2",
    "io.k8s.api.rbac.v1.RoleBinding": "metadata=1 subjects=2 roleRef=3",
    "io.k8s.api.rbac.v1.RoleRef": "apiGroup=1 kind=2 name=3",
    "io.k8s.api.rbac.v1.Subject": "kind=1 apiGroup=2 name=3 namespace=4",
    "io.k8s.apimachinery.pkg.apis.meta.v1.Condition": (
        "type=1 status=2 observedGeneration=3- lastTransitionTime=4 reason=5 message=6"
    ),
    "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions": (
        "gracePeriodSeconds=1 preconditions=2 orphanDependents=3 propagationPolicy=4 dryRun=5 "
        "ignoreStoreReadErrorWithClusterBreakingPotential=6"
    ),
    "io.k8s.apimachinery.pkg.apis.meta.v1.FieldSelectorRequirement": "key=1 operator=2 values=3",
    "io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector": "matchLabels=1 matchExpressions=2",
    "io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelectorRequirement": "key=1 operator=2 values=3",
    "io.k8s.apimachinery.pkg.apis.meta.v1.ManagedFieldsEntry": (
        "manager=1 operation=2 apiVersion=3 time=4 fieldsType=6 fieldsV1=7 subresource=8"
    ),
    "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta": (
        "name=1 generateName=2- namespace=3- selfLink=4- uid=5- resourceVersion=6- generation=7- "
        "creationTimestamp=8 deletionTimestamp=9 deletionGracePeriodSeconds=10 labels=11 annotations=12 "
        "ownerReferences=13 finalizers=14 managedFields=17"
    ),
    "io.k8s.apimachinery.pkg.apis.meta.v1.OwnerReference": (
        "kind=1 name=3 uid=4 apiVersion=5 controller=6 blockOwnerDeletion=7"
    ),
    "io.k8s.apimachinery.pkg.apis.meta.v1.Preconditions": "uid=1 resourceVersion=2",
}


@dataclass(frozen=True, slots=True)
class FieldNumber:
    """One field of a message.

    Attributes:
        number: The number of the field.
        quantities: Whether the field is a map of `Quantity` messages.
        zero_is_absent: Whether its zero value means that there is none.
    """

    number: int
    quantities: bool = False
    zero_is_absent: bool = False


@cache
def field_numbers(message: str) -> Mapping[str, FieldNumber] | None:
    """The fields of a message by their names on the wire, None if the message is not known."""
    row = _TABLE.get(message)
    return None if row is None else dict(map(_field, row.split(" ")))


def _field(text: str) -> tuple[str, FieldNumber]:
    wire, _, number = text.partition("=")
    return wire, FieldNumber(int(number.rstrip("!-")), number.endswith("!"), number.endswith("-"))
