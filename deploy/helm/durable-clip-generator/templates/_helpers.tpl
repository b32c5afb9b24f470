{{- define "clips.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "clips.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains (include "clips.name" .) .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "clips.name" .) | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* Labels that never change: selectors are immutable. */}}
{{- define "clips.selector" -}}
app.kubernetes.io/name: {{ include "clips.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "clips.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "clips.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{- define "clips.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "clips.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "clips.secretName" -}}
{{- default (include "clips.fullname" .) .Values.secrets.existingSecret -}}
{{- end -}}

{{- define "clips.tag" -}}
{{- default .Chart.AppVersion .Values.image.tag -}}
{{- end -}}

{{/* With a tag: that of an earlier version. */}}
{{- define "clips.image" -}}
{{- $image := .root.Values.image -}}
{{- if and $image.digest (not .tag) -}}
{{- printf "%s@%s" $image.repository $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $image.repository (default (include "clips.tag" .root) .tag) -}}
{{- end -}}
{{- end -}}

{{- define "clips.buildId" -}}
{{- default (include "clips.tag" .) .Values.worker.versioning.buildId -}}
{{- end -}}

{{- define "clips.deploymentName" -}}
{{- default (include "clips.fullname" .) .Values.worker.versioning.deploymentName -}}
{{- end -}}

{{/* A build id as the end of a name and as a label. */}}
{{- define "clips.slug" -}}
{{- $plain := regexReplaceAll "[^a-z0-9-]+" (lower .) "-" | trimAll "-" -}}
{{- if eq $plain . -}}
{{- trunc 16 $plain | trimSuffix "-" -}}{{- if gt (len $plain) 16 -}}-{{ sha256sum . | trunc 5 }}{{- end -}}
{{- else -}}
{{- printf "%s-%s" (trunc 16 $plain | trimSuffix "-") (sha256sum . | trunc 5) -}}
{{- end -}}
{{- end -}}

{{- define "clips.workerName" -}}
{{- if .Values.worker.versioning.enabled -}}
{{- printf "%s-worker-%s" (include "clips.fullname" .) (include "clips.slug" (include "clips.buildId" .)) -}}
{{- else -}}
{{- printf "%s-worker" (include "clips.fullname" .) -}}
{{- end -}}
{{- end -}}

{{- define "clips.taskQueue" -}}
{{- default "generate-clips" .Values.config.TEMPORAL_TASK_QUEUE -}}
{{- end -}}

{{/* The port of `host:port` or of a URL; else the second argument. */}}
{{- define "clips.portOf" -}}
{{- $address := regexReplaceAll "^[a-z]+://" .address "" | splitList "/" | first -}}
{{- $port := regexFind ":[0-9]+$" $address | trimPrefix ":" -}}
{{- if $port -}}{{ $port }}{{- else if hasPrefix "http://" .address -}}80{{- else -}}{{ .default }}{{- end -}}
{{- end -}}

{{/* Settings that are secret, and whether a process starts without them. */}}
{{- define "clips.secretSettings" -}}
REPLICATE_API_TOKEN: required
API_KEYS: required
AWS_ACCESS_KEY_ID: optional
AWS_SECRET_ACCESS_KEY: optional
AWS_SESSION_TOKEN: optional
TEMPORAL_API_KEY: optional
TEMPORAL_TLS_CLIENT_CERT_DATA: optional
TEMPORAL_TLS_CLIENT_KEY_DATA: optional
CODEC_KEYS: optional
{{- end -}}

{{- define "clips.bearerKey" -}}
{{- if .Values.monitoring.bearerKey -}}
{{- .Values.monitoring.bearerKey -}}
{{- else if .Values.secrets.existingSecret -}}
API_KEYS
{{- else -}}
metrics-key
{{- end -}}
{{- end -}}

{{- define "clips.env" -}}
envFrom:
  - configMapRef:
      name: {{ include "clips.fullname" . }}
env:
  {{- range $name, $need := fromYaml (include "clips.secretSettings" .) }}
  - name: {{ $name }}
    valueFrom:
      secretKeyRef:
        name: {{ include "clips.secretName" $ }}
        key: {{ $name }}
        {{- if eq $need "optional" }}
        optional: true
        {{- end }}
  {{- end }}
{{- end -}}

{{/* A change of settings or of the chart's own secret starts new pods. */}}
{{- define "clips.checksums" -}}
checksum/config: {{ include (print $.Template.BasePath "/configmap.yaml") . | sha256sum }}
{{- if not .Values.secrets.existingSecret }}
checksum/secret: {{ include (print $.Template.BasePath "/secret.yaml") . | sha256sum }}
{{- end }}
{{- end -}}

{{- define "clips.volumes" -}}
- name: data
  {{- if .root.Values.dataDir.existingClaim }}
  persistentVolumeClaim:
    claimName: {{ .root.Values.dataDir.existingClaim }}
  {{- else }}
  emptyDir:
    sizeLimit: {{ .root.Values.dataDir.sizeLimit }}
  {{- end }}
- name: tmp
  emptyDir:
    sizeLimit: {{ .root.Values.tmp.sizeLimit }}
{{- with .process.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "clips.volumeMounts" -}}
- name: data
  mountPath: /data
- name: tmp
  mountPath: /tmp
{{- with .process.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Where pods run: `process` is the part of the values, `selector` the labels of its pods. */}}
{{- define "clips.placement" -}}
{{- with .process.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .process.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .process.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .process.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- if .process.topologySpread }}
topologySpreadConstraints:
  {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{- $.selector | nindent 8 }}
  {{- end }}
{{- end }}
{{- end -}}

{{- /* The argument is the path of readiness. */}}
{{- define "clips.probes" -}}
startupProbe:
  httpGet: { path: /healthz, port: http }
  periodSeconds: 2
  failureThreshold: 60
readinessProbe:
  httpGet: { path: {{ . }}, port: http }
  periodSeconds: 5
  timeoutSeconds: 5
  failureThreshold: 2
# The process alone: a restart would not bring Temporal or the bucket back.
livenessProbe:
  httpGet: { path: /healthz, port: http }
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
{{- end -}}

{{/* `versioning` with `version: null`: workers without versions. */}}
{{- define "clips.workerDeployment" -}}
{{- $root := .root -}}
{{- $worker := $root.Values.worker -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .name }}
  labels:
    {{- include "clips.labels" $root | nindent 4 }}
    app.kubernetes.io/component: worker
spec:
  {{- if .replicas }}
  replicas: {{ .replicas }}
  {{- end }}
  # New workers take over before old ones stop.
  strategy:
    type: RollingUpdate
    rollingUpdate: { maxSurge: 1, maxUnavailable: 0 }
  selector:
    matchLabels: {{- .selector | nindent 6 }}
  template:
    metadata:
      labels:
        {{- .selector | nindent 8 }}
        {{- with $worker.podLabels }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      annotations:
        {{- include "clips.checksums" $root | nindent 8 }}
        {{- with $worker.podAnnotations }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    spec:
      serviceAccountName: {{ include "clips.serviceAccountName" $root }}
      automountServiceAccountToken: false
      # Variables such as TEMPORAL_PORT, which a Service named temporal would set, are settings here.
      enableServiceLinks: false
      terminationGracePeriodSeconds: {{ $worker.terminationGracePeriodSeconds }}
      securityContext: {{- toYaml $root.Values.podSecurityContext | nindent 8 }}
      {{- with $root.Values.imagePullSecrets }}
      imagePullSecrets: {{- toYaml . | nindent 8 }}
      {{- end }}
      containers:
        - name: worker
          image: {{ include "clips.image" (dict "root" $root "tag" .tag) }}
          imagePullPolicy: {{ $root.Values.image.pullPolicy }}
          args: [worker]
          {{- include "clips.env" $root | nindent 10 }}
            {{- if .buildId }}
            - name: TEMPORAL_DEPLOYMENT_NAME
              value: {{ include "clips.deploymentName" $root | quote }}
            - name: TEMPORAL_BUILD_ID
              value: {{ .buildId | quote }}
            {{- end }}
            {{- with $worker.extraEnv }}
            {{- toYaml . | nindent 12 }}
            {{- end }}
          ports:
            - name: http
              containerPort: {{ $worker.httpPort }}
          {{- include "clips.probes" "/readyz" | nindent 10 }}
          resources: {{- toYaml $worker.resources | nindent 12 }}
          securityContext: {{- toYaml $root.Values.securityContext | nindent 12 }}
          volumeMounts: {{- include "clips.volumeMounts" (dict "root" $root "process" $worker) | nindent 12 }}
      volumes: {{- include "clips.volumes" (dict "root" $root "process" $worker) | nindent 8 }}
      {{- include "clips.placement" (dict "process" $worker "selector" .selector) | nindent 6 }}
{{- end -}}
