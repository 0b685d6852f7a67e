// @kubernetes/client-node: CRUD, a watch that resumes, an informer. Prints what happened as one JSON document.
// Arguments: a kubeconfig and a namespace.
import { CoreV1Api, DiscoveryV1Api, KubeConfig, KubernetesObjectApi, PatchStrategy, VersionApi, Watch, makeInformer,
    setHeaderOptions } from '@kubernetes/client-node';

const [kubeconfig, namespace] = process.argv.slice(2);
const config = new KubeConfig();
config.loadFromFile(kubeconfig);
const core = config.makeApiClient(CoreV1Api);
const path = `/api/v1/namespaces/${namespace}/services`;

function service(name, spec = {}) {
    return { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace }, spec: { ports: [{ port: 80, targetPort: 'http' }], ...spec } };
}

function labelled(labels) {
    return { metadata: { labels } };
}

async function until(condition) {
    const deadline = Date.now() + 20_000;
    while (!condition()) {
        if (Date.now() > deadline) throw new Error(`it did not happen in time: ${condition}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
    }
}

async function refusal(promise) {
    try {
        await promise;
    } catch (error) {
        return [error.code, JSON.parse(error.body).reason];
    }
    return 'was not refused';
}

async function life() {
    const created = await core.createNamespacedService({ namespace, body: service('web', { type: 'LoadBalancer' }) });
    const read = await core.readNamespacedService({ namespace, name: 'web' });
    const body = { ...read, spec: { ...read.spec, ports: [{ ...read.spec.ports[0], targetPort: 8080 }] } };
    const replaced = await core.replaceNamespacedService({ namespace, name: 'web', body });
    const stale = await refusal(core.replaceNamespacedService({ namespace, name: 'web', body }));
    const patches = [
        [PatchStrategy.StrategicMergePatch, labelled({ a: '1' })],
        [PatchStrategy.MergePatch, labelled({ b: '2' })],
        [PatchStrategy.JsonPatch, [{ op: 'add', path: '/metadata/labels/c', value: '3' }]],
    ];
    let patched;
    for (const [strategy, patch] of patches) {
        const options = setHeaderOptions('Content-Type', strategy);
        patched = await core.patchNamespacedService({ namespace, name: 'web', body: patch }, options);
    }
    const objects = KubernetesObjectApi.makeApiClient(config);
    const applied = await objects.patch({ ...service('applied'), metadata: { name: 'applied', namespace } }, undefined,
        undefined, 'tests', true, PatchStrategy.ServerSideApply);
    const listed = await core.listNamespacedService({ namespace, labelSelector: 'a=1' });
    await core.deleteNamespacedService({ namespace, name: 'web' });
    return {
        address: created.spec.clusterIP,
        frontend: created.status.loadBalancer.ingress[0].ip,
        same: JSON.stringify(read) === JSON.stringify(created),
        targetPort: replaced.spec.ports[0].targetPort,
        stale,
        labels: patched.metadata.labels,
        manager: applied.metadata.managedFields[0].manager,
        listed: listed.items.map((each) => each.metadata.name),
        gone: await refusal(core.readNamespacedService({ namespace, name: 'web' })),
        cleared: (await core.deleteCollectionNamespacedService({ namespace })).kind,
        left: (await core.listNamespacedService({ namespace })).items.length,
    };
}

// Watches from a revision until an event of the type, and returns what it saw and the revision it got to.
async function watched(resourceVersion, last) {
    const seen = [];
    let revision = resourceVersion;
    let controller;
    await new Promise((resolve, reject) => {
        const onEvent = (type, object) => {
            seen.push(`${type} ${object.metadata.name}`);
            revision = object.metadata.resourceVersion;
            if (seen.at(-1) === last) controller.abort();
        };
        new Watch(config).watch(path, { resourceVersion }, onEvent, (error) => (seen.at(-1) === last ? resolve() : reject(error)))
            .then((opened) => { controller = opened; }, reject);
    });
    return [seen, revision];
}

async function resumed() {
    const start = (await core.listNamespacedService({ namespace })).metadata.resourceVersion;
    await core.createNamespacedService({ namespace, body: service('a') });
    await core.createNamespacedService({ namespace, body: service('b') });
    const [first, revision] = await watched(start, 'ADDED b');
    await core.deleteNamespacedService({ namespace, name: 'a' });
    await core.deleteNamespacedService({ namespace, name: 'b' });
    const [second] = await watched(revision, 'DELETED b');
    return [...first, ...second];
}

async function informed() {
    await core.createNamespacedService({ namespace, body: service('before') });
    const informer = makeInformer(config, path, () => core.listNamespacedService({ namespace }));
    const seen = [];
    for (const verb of ['add', 'update', 'delete']) informer.on(verb, (object) => seen.push(`${verb} ${object.metadata.name}`));
    await informer.start();
    await until(() => seen.includes('add before'));
    await core.createNamespacedService({ namespace, body: service('after') });
    await core.patchNamespacedService({ namespace, name: 'after', body: labelled({ x: 'y' }) },
        setHeaderOptions('Content-Type', PatchStrategy.MergePatch));
    await core.deleteNamespacedService({ namespace, name: 'before' });
    await until(() => seen.includes('delete before'));
    const held = informer.list().map((each) => each.metadata.name);
    await informer.stop();
    return { seen, held };
}

const result = {
    version: (await config.makeApiClient(VersionApi).getCode()).gitVersion,
    slices: (await config.makeApiClient(DiscoveryV1Api).listNamespacedEndpointSlice({ namespace })).kind,
    life: await life(),
    resumed: await resumed(),
    informed: await informed(),
};
console.log(JSON.stringify(result));
