{{- define "slac.labels" -}}
app.kubernetes.io/part-of: slac
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- /* Image of the pages and the jobs: by digest where there is one. */}}
{{- define "slac.image" -}}
{{- with .Values.image.cpu -}}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end }}
{{- end }}

{{- /* What Pod Security "restricted" asks of a pod, and no tokens: nothing here speaks to Kubernetes. */}}
{{- define "slac.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.image.pullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 50000
  runAsGroup: 50000
  fsGroup: 50000
  seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "slac.container" -}}
image: {{ include "slac.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext: {{ include "slac.confined" . | nindent 2 }}
terminationMessagePolicy: FallbackToLogsOnError
{{- end }}

{{- define "slac.confined" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{- /* A job of Helm; takes (name, when, words, env_from, context, order, [settings]). */}}
{{- define "slac.job" -}}
apiVersion: batch/v1
kind: Job
metadata:
  name: slac-{{ .name }}
  labels: {{ include "slac.labels" .context | nindent 4 }}
    app.kubernetes.io/component: {{ .name }}
  annotations:
    helm.sh/hook: {{ .when }}
    helm.sh/hook-weight: {{ .order | quote }}
    # One that failed stays, to be looked at.
    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
spec:
  # 75 passes: a server that is starting. Helm's own --timeout is the bound that people set.
  backoffLimit: 6
  activeDeadlineSeconds: 1800
  ttlSecondsAfterFinished: 86400
  template:
    metadata:
      labels: {{ include "slac.labels" .context | nindent 8 }}
        app.kubernetes.io/component: {{ .name }}
    spec:
      {{- include "slac.pod" .context | nindent 6 }}
      restartPolicy: Never
      containers:
        - name: {{ .name }}
          {{- include "slac.container" .context | nindent 10 }}
          {{- with .command }}
          command: {{ toJson . }}
          {{- end }}
          {{- with .words }}
          args: {{ toJson . }}
          {{- end }}
          env:
            - {name: HOME, value: /tmp}
            {{- if .settings }}
            - {name: SLAC_CONFIG, value: /etc/slac/slac.toml}
            {{- end }}
          envFrom:
            {{- range .env_from }}
            - secretRef: {name: {{ . }}}
            {{- end }}
          resources: {{ toYaml .context.Values.jobs.resources | nindent 12 }}
          volumeMounts:
            - {name: tmp, mountPath: /tmp}
            {{- if .settings }}
            - {name: settings, mountPath: /etc/slac, readOnly: true}
            {{- end }}
      volumes:
        - {name: tmp, emptyDir: {sizeLimit: 1Gi}}
        {{- if .settings }}
        - {name: settings, configMap: {name: slac-settings}}
        {{- end }}
{{- end }}

{{- /* Peers and ports of one direction of a network policy; takes (peers, ports). */}}
{{- define "slac.reach" -}}
to: {{ toYaml .to | nindent 2 }}
ports:
  {{- range .ports }}
  - {protocol: TCP, port: {{ . }}}
  {{- end }}
{{- end }}

{{- define "slac.dns" -}}
to:
  - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}
ports:
  - {protocol: UDP, port: 53}
  - {protocol: TCP, port: 53}
{{- end }}

{{- /* A pod template of Airflow: where a stage may run. Takes (place, context). */}}
{{- define "slac.template" -}}
apiVersion: v1
kind: Pod
metadata:
  labels:
    app.kubernetes.io/part-of: slac
spec:
  {{- with .context.Values.image.pullSecrets }}
  imagePullSecrets: {{ toYaml . | nindent 4 }}
  {{- end }}
  {{- with .place.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- with .place.nodeSelector }}
  nodeSelector: {{ toYaml . | nindent 4 }}
  {{- end }}
  {{- with .place.tolerations }}
  tolerations: {{ toYaml . | nindent 4 }}
  {{- end }}
  {{- with .place.affinity }}
  affinity: {{ toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - name: base
      # Airflow puts the image of the stage here.
      image: slac
      {{- with .place.resources }}
      resources: {{ toYaml . | nindent 8 }}
      {{- end }}
{{- end }}
