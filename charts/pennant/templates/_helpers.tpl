{{- define "pennant.labels" -}}
app.kubernetes.io/name: pennant-operator
app.kubernetes.io/part-of: pennant
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with omit (.Values.commonLabels | default dict) "app.kubernetes.io/name" "app.kubernetes.io/part-of" "app.kubernetes.io/instance" "app.kubernetes.io/version" "app.kubernetes.io/managed-by" "helm.sh/chart" }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- /* What selects the operator's pods. */ -}}
{{- define "pennant.selector" -}}
app.kubernetes.io/name: pennant-operator
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

{{- /*
YAML of the ModelRegistry of registry.name: `spec`, `metadata` (labels and annotations), and `set`, as
much of the spec as the values name. Nothing where there is none, or nobody can be asked.
*/ -}}
{{- define "pennant.registry" -}}
{{- if .Capabilities.APIVersions.Has "pennant.dev/v1alpha1/ModelRegistry" -}}
{{- with lookup "pennant.dev/v1alpha1" "ModelRegistry" .Release.Namespace .Values.registry.name -}}
{{- $set := include "pennant.within" (list .spec $.Values.registry.spec) | fromYaml -}}
{{- dict "spec" .spec "set" $set "metadata" (pick .metadata "labels" "annotations") | toYaml -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- /* Of a mapping what another one names, as YAML: list MAPPING OTHER. */ -}}
{{- define "pennant.within" -}}
{{- $all := index . 0 -}}
{{- $found := dict -}}
{{- range $name, $named := index . 1 -}}
{{- if hasKey $all $name -}}
{{- $value := get $all $name -}}
{{- if and (kindIs "map" $value) (kindIs "map" $named) -}}
{{- $value = include "pennant.within" (list $value $named) | fromYaml -}}
{{- end -}}
{{- $_ := set $found $name $value -}}
{{- end -}}
{{- end -}}
{{- toYaml $found -}}
{{- end }}

{{- /*
YAML with `there` and `missing`, the named namespaces in which rights can be granted now and those
in which they cannot. All count as there where nobody can be asked, as with `helm template`; and so
do the release's own, which Helm may make, and every one of an upgrade that finds none of all these.
*/ -}}
{{- define "pennant.namespaces" -}}
{{- $there := list }}
{{- $missing := list }}
{{- $own := .Release.Namespace }}
{{- range uniq .Values.watchNamespaces }}
{{- $found := lookup "v1" "Namespace" "" . }}
{{- if or (eq . $own) (and $found (ne (dig "status" "phase" "" $found) "Terminating")) }}
{{- $there = append $there . }}
{{- else }}
{{- $missing = append $missing . }}
{{- end }}
{{- end }}
{{- $asked := .Capabilities.APIVersions.Has "v1/Namespace" }}
{{- if and $missing .Release.IsUpgrade (not (lookup "v1" "Namespace" "" $own)) }}
{{- $asked = false }}
{{- end }}
{{- if not $asked }}
{{- $there = uniq .Values.watchNamespaces }}
{{- $missing = list }}
{{- end }}
{{- dict "there" $there "missing" $missing | toYaml -}}
{{- end }}
