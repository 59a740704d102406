{{- define "pennant.labels" -}}
app.kubernetes.io/name: pennant-operator
app.kubernetes.io/part-of: pennant
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- /* The reference of one image: list ROOT (operator | serving). */ -}}
{{- define "pennant.image" -}}
{{- $root := index . 0 -}}
{{- $image := get $root.Values.image (index . 1) -}}
{{- with $root.Values.image.registry }}{{ trimSuffix "/" . }}/{{ end -}}
{{ $image.repository }}:{{ $image.tag | default $root.Chart.AppVersion }}
{{- end }}

{{- define "pennant.subjects" -}}
subjects:
  - kind: ServiceAccount
    name: pennant-operator
    namespace: {{ .Release.Namespace | quote }}
{{- end }}
