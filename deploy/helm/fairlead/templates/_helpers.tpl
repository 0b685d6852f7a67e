{{- define "fairlead.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" }}
{{- end }}

{{- define "fairlead.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else if contains (include "fairlead.name" .) .Release.Name }}
{{- .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "fairlead.name" .) | trunc 40 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "fairlead.selector" -}}
app.kubernetes.io/name: {{ include "fairlead.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "fairlead.labels" -}}
{{ include "fairlead.selector" . }}
app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "fairlead.image" -}}
{{- if .Values.image.digest }}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) }}
{{- end }}
{{- end }}

{{/* The environment variable of a setting. */}}
{{- define "fairlead.variable" -}}
FAIRLEAD_{{ . | upper | replace "-" "_" }}
{{- end }}

{{/*
A pod, but for its restart policy: `root`, `component`, `args`; `settings` and `secretFiles` of the component,
`defaults`, which settings come before; `ports`, `health` (path prefix none: port and scheme) for its probes;
`resources`.
*/}}
{{- define "fairlead.pod" -}}
{{- $root := .root }}
{{- $settings := mergeOverwrite (deepCopy (.defaults | default dict)) (deepCopy $root.Values.settings) (deepCopy (.settings | default dict)) }}
{{- $files := .secretFiles | default dict }}
automountServiceAccountToken: false
{{- with $root.Values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
# A Service named fairlead would set FAIRLEAD_PORT, which is a setting.
enableServiceLinks: false
{{- with $root.Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile: {type: RuntimeDefault}
{{- with $root.Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $root.Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $root.Values.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
containers:
- name: fairlead
  image: {{ include "fairlead.image" $root | quote }}
  imagePullPolicy: {{ $root.Values.image.pullPolicy }}
  args: {{- toYaml .args | nindent 2 }}
  env:
  - name: FAIRLEAD_DATABASE_URL
    valueFrom:
      secretKeyRef: {name: {{ $root.Values.database.secret | quote }}, key: {{ $root.Values.database.key | quote }}}
  {{- if eq .component "api" }}
  - name: FAIRLEAD_ADVERTISE_ADDRESS
    valueFrom:
      fieldRef: {fieldPath: status.podIP}
  {{- end }}
  {{- range $name, $value := $settings }}
  - name: {{ include "fairlead.variable" $name }}
    value: {{ $value | quote }}
  {{- end }}
  {{- range $name, $source := $files }}
  - name: {{ include "fairlead.variable" $name }}
    value: /run/secrets/fairlead/{{ $name }}
  {{- end }}
  {{- with .ports }}
  ports: {{- toYaml . | nindent 2 }}
  {{- end }}
  {{- with .health }}
  startupProbe:
    httpGet: {path: /livez, port: {{ .port }}, scheme: {{ .scheme }}}
    periodSeconds: 2
    timeoutSeconds: 4
    failureThreshold: 90
  livenessProbe:
    httpGet: {path: /livez, port: {{ .port }}, scheme: {{ .scheme }}}
    periodSeconds: 10
    timeoutSeconds: 5
    failureThreshold: 6
  readinessProbe:
    httpGet: {path: {{ .ready | quote }}, port: {{ .port }}, scheme: {{ .scheme }}}
    periodSeconds: 3
    timeoutSeconds: 4
    failureThreshold: 2
  # Clients get to know that it leaves before it does.
  lifecycle:
    preStop:
      exec: {command: [sleep, "5"]}
  {{- end }}
  resources: {{- toYaml .resources | nindent 4 }}
  securityContext:
    allowPrivilegeEscalation: false
    readOnlyRootFilesystem: true
    capabilities: {drop: [ALL]}
  volumeMounts:
  - {name: tmp, mountPath: /tmp}
  {{- if $files }}
  - {name: secrets, mountPath: /run/secrets/fairlead, readOnly: true}
  {{- end }}
volumes:
- name: tmp
  emptyDir: {sizeLimit: 256Mi}
{{- if $files }}
- name: secrets
  projected:
    defaultMode: 0440
    sources:
    {{- range $name, $source := $files }}
    - secret:
        name: {{ $source.secret | quote }}
        {{- if $source.optional }}
        optional: true
        {{- end }}
        items: [{key: {{ $source.key | quote }}, path: {{ $name }}}]
    {{- end }}
{{- end }}
{{- end }}

{{/* All of one component: `root`, `component`, `defaults`, `ports`, `health`, `service` (ports of its Service),
`metrics` (those of another one, if the first is for clients). */}}
{{- define "fairlead.component" -}}
{{- $root := .root }}
{{- $values := index $root.Values .component }}
{{- $name := printf "%s-%s" (include "fairlead.fullname" $root) .component }}
{{- $main := eq .component "api" | ternary (include "fairlead.fullname" $root) $name -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ $name }}
  labels: {{- include "fairlead.labels" $root | nindent 4 }}
    app.kubernetes.io/component: {{ .component }}
spec:
  replicas: {{ $values.replicas }}
  # The versions of an upgrade work side by side, so none has to go before its successor is ready.
  strategy:
    rollingUpdate: {maxUnavailable: 0, maxSurge: 1}
  selector:
    matchLabels: {{- include "fairlead.selector" $root | nindent 6 }}
      app.kubernetes.io/component: {{ .component }}
  template:
    metadata:
      labels: {{- include "fairlead.labels" $root | nindent 8 }}
        app.kubernetes.io/component: {{ .component }}
      {{- with $root.Values.podAnnotations }}
      annotations: {{- toYaml . | nindent 8 }}
      {{- end }}
    spec:
      terminationGracePeriodSeconds: 25
      topologySpreadConstraints:
      - maxSkew: 1
        topologyKey: kubernetes.io/hostname
        whenUnsatisfiable: ScheduleAnyway
        labelSelector:
          matchLabels: {{- include "fairlead.selector" $root | nindent 12 }}
            app.kubernetes.io/component: {{ .component }}
      {{- $pod := dict "root" $root "component" .component "args" (list .component) "settings" $values.settings }}
      {{- $files := merge (deepCopy $values.secretFiles) $root.Values.secretFiles }}
      {{- $pod = merge $pod (dict "secretFiles" $files "defaults" .defaults "ports" .ports "health" .health "resources" $values.resources) }}
      {{- include "fairlead.pod" $pod | nindent 6 }}
---
apiVersion: v1
kind: Service
metadata:
  name: {{ $main }}
  labels: {{- include "fairlead.labels" $root | nindent 4 }}
    app.kubernetes.io/component: {{ .component }}
  {{- with (($values.service | default dict).annotations) }}
  annotations: {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  {{- if $values.service }}
  type: {{ $values.service.type }}
  {{- else }}
  clusterIP: None
  {{- end }}
  ports: {{- toYaml .service | nindent 2 }}
  selector: {{- include "fairlead.selector" $root | nindent 4 }}
    app.kubernetes.io/component: {{ .component }}
{{- with .metrics }}
---
# Metrics, apart from what clients reach.
apiVersion: v1
kind: Service
metadata:
  name: {{ $name }}-metrics
  labels: {{- include "fairlead.labels" $root | nindent 4 }}
    app.kubernetes.io/component: {{ $.component }}
spec:
  clusterIP: None
  ports: {{- toYaml . | nindent 2 }}
  selector: {{- include "fairlead.selector" $root | nindent 4 }}
    app.kubernetes.io/component: {{ $.component }}
{{- end }}
{{- if and $root.Values.podDisruptionBudget.enabled (gt (int $values.replicas) 1) }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ $name }}
  labels: {{- include "fairlead.labels" $root | nindent 4 }}
    app.kubernetes.io/component: {{ .component }}
spec:
  maxUnavailable: 1
  selector:
    matchLabels: {{- include "fairlead.selector" $root | nindent 6 }}
      app.kubernetes.io/component: {{ .component }}
{{- end }}
{{- end }}
