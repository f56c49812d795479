{{/* Prefix of all names; at most 40 characters, to leave room for suffixes. */}}
{{- define "voxk8s.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* Labels that select the pods of a component: (dict "root" . "component" "operator"). */}}
{{- define "voxk8s.selector" -}}
app.kubernetes.io/name: voxk8s
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "voxk8s.labels" -}}
{{ include "voxk8s.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "voxk8s.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "voxk8s.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* Security contexts for Pod Security "restricted"; containers also have a read-only root. */}}
{{- define "voxk8s.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "voxk8s.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{- define "voxk8s.pullSecrets" -}}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* URL of the default store: store.url, else the chart's S3 server. */}}
{{- define "voxk8s.store.url" -}}
{{- if .Values.store.url -}}
{{- .Values.store.url -}}
{{- else if .Values.s3.enabled -}}
{{- printf "s3://%s" .Values.s3.bucket -}}
{{- end -}}
{{- end -}}

{{- define "voxk8s.store.endpoint" -}}
{{- if .Values.store.endpoint -}}
{{- .Values.store.endpoint -}}
{{- else if and .Values.s3.enabled (not .Values.store.url) -}}
{{- printf "http://%s-s3.%s.svc.cluster.local:8333" (include "voxk8s.fullname" .) .Release.Namespace -}}
{{- end -}}
{{- end -}}

{{- define "voxk8s.store.secret" -}}
{{- if .Values.store.existingSecret -}}
{{- .Values.store.existingSecret -}}
{{- else if and .Values.s3.enabled (not .Values.store.url) -}}
{{- include "voxk8s.s3.secret" . -}}
{{- end -}}
{{- end -}}

{{- define "voxk8s.s3.secret" -}}
{{- default (printf "%s-s3" (include "voxk8s.fullname" .)) .Values.s3.existingSecret -}}
{{- end -}}

{{/* The trust domains of namespaces, as the operator reads them. */}}
{{- define "voxk8s.store.trust" -}}
{{- $store := .Values.store -}}
{{- $several := or (gt (len $store.allowedNamespaces) 1) (has "*" $store.allowedNamespaces) -}}
{{- $perNamespace := eq (default (ternary "namespace" "shared" $several) $store.trust) "namespace" -}}
{{- dict "perNamespace" $perNamespace "domains" $store.domains "trusts" $store.trusts "serviceAccount" $store.serviceAccount | toJson -}}
{{- end -}}

{{/* How the operator gets keys for runs; the chart's S3 server has an STS and the role `runs`. */}}
{{- define "voxk8s.store.sts" -}}
{{- $sts := .Values.store.sts -}}
{{- if and .Values.s3.enabled (not .Values.store.url) (not $sts.roleArn) -}}
{{- $sts = merge (dict "roleArn" "arn:aws:iam::role/runs" "durationSeconds" 43200 "confineListing" true) $sts -}}
{{- end -}}
{{- $root := trimSuffix "/" (include "voxk8s.store.url" .) -}}
{{- $read := default (list (printf "%s/inputs/" $root)) $sts.readPrefixes -}}
{{- $write := default (list (printf "%s/outputs/{domain}/" $root)) $sts.writePrefixes -}}
{{- $trust := include "voxk8s.store.trust" . | fromJson -}}
{{- range $name, $domain := .Values.store.domains -}}
{{- if and $domain.existingSecret $domain.serviceAccount -}}
{{- fail (printf "store.domains.%s: set existingSecret or serviceAccount, not both: keys take precedence over an identity" $name) -}}
{{- end -}}
{{- end -}}
{{- if and (include "voxk8s.store.secret" .) (not $sts.roleArn) (not .Values.store.serviceAccount) $trust.perNamespace -}}
{{- fail "store.trust: namespaces that do not trust each other need keys of their own: set store.sts.roleArn, or store.trust to shared if they may read, forge and delete each other's results" -}}
{{- end -}}
{{- merge (dict "readPrefixes" $read "writePrefixes" $write) $sts | toJson -}}
{{- end -}}

{{/* What runs may read, as the operator reads it: (dict "root" . "prefixes" $prefixes). */}}
{{- define "voxk8s.run.inputs" -}}
{{- $inputs := .root.Values.inputs -}}
{{- $found := dict "maxBytes" ($inputs.maxBytes | int64) -}}
{{- if $inputs.restrictRuns -}}
{{- $prefixes := .prefixes -}}
{{- if include "voxk8s.store.url" .root -}}
{{- $prefixes = concat $prefixes (include "voxk8s.store.sts" .root | fromJson).readPrefixes | uniq -}}
{{- end -}}
{{- $_ := set $found "prefixes" $prefixes -}}
{{- end -}}
{{- toJson $found -}}
{{- end -}}

{{/* Where a URL leads, for network policies: its port, and the namespace if it is a Service of the cluster. */}}
{{- define "voxk8s.url.target" -}}
{{- $url := urlParse . -}}
{{- $parts := splitList ":" $url.host -}}
{{- $port := ternary 80 443 (eq $url.scheme "http") -}}
{{- if gt (len $parts) 1 -}}
{{- $port = last $parts | int -}}
{{- end -}}
{{- $namespace := "" -}}
{{- if regexMatch "^[a-z0-9-]+\\.[a-z0-9-]+\\.svc(\\..*)?$" (first $parts) -}}
{{- $namespace = index (splitList "." (first $parts)) 1 -}}
{{- end -}}
{{- dict "port" $port "namespace" $namespace | toJson -}}
{{- end -}}

{{/* Permissions of the operator in the namespaces that it watches. */}}
{{- define "voxk8s.operator.rules" -}}
- apiGroups: [voxk8s.io]
  resources: [workplans]
  verbs: [get, list, watch, delete]
- apiGroups: [voxk8s.io]
  resources: [workplans/status]
  verbs: [patch]
# To set a WorkPlan as the owner of its children, where the API server requires this permission.
- apiGroups: [voxk8s.io]
  resources: [workplans/finalizers]
  verbs: [update]
- apiGroups: [kubernetes.dask.org]
  resources: [daskclusters]
  verbs: [get, list, watch, create, delete]
- apiGroups: [kubernetes.dask.org]
  resources: [daskautoscalers]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [kubernetes.dask.org]
  resources: [daskworkergroups]
  verbs: [get, list, watch, create, delete]
- apiGroups: [batch]
  resources: [jobs]
  verbs: [get, list, watch, create, delete]
# To delete workers that dask-kubernetes leaves behind.
- apiGroups: [apps]
  resources: [deployments]
  verbs: [list, watch, delete]
- apiGroups: [""]
  resources: [pods]
  verbs: [list, watch]
# To read plans from the ConfigMaps that WorkPlans refer to.
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get]
# To create the keys for TLS of Dask clusters, and the one Secret with the store's keys of runs.
- apiGroups: [""]
  resources: [secrets]
  verbs: [create]
- apiGroups: [""]
  resources: [secrets]
  resourceNames: [voxk8s-store]
  verbs: [list, patch, delete]
{{- if .Values.policy.quota }}
# To keep the quota of each namespace that has WorkPlans.
- apiGroups: [""]
  resources: [resourcequotas]
  verbs: [create]
- apiGroups: [""]
  resources: [resourcequotas]
  resourceNames: [voxk8s]
  verbs: [patch]
{{- end }}
{{- with .Values.store.readableSecrets }}
# To look up known results in stores of WorkPlans.
- apiGroups: [""]
  resources: [secrets]
  resourceNames: {{ toJson . }}
  verbs: [get]
{{- end }}
# To create accounts, permissions, policies and keys of runs. The account of a run's runner owns all
# others, which are deleted with it.
- apiGroups: [""]
  resources: [serviceaccounts]
  verbs: [get, list, watch, create, delete]
- apiGroups: [""]
  resources: [serviceaccounts/finalizers]
  verbs: [update]
- apiGroups: [rbac.authorization.k8s.io]
  resources: [roles, rolebindings]
  verbs: [get, create]
- apiGroups: [networking.k8s.io]
  resources: [networkpolicies]
  verbs: [get, create]
- apiGroups: [""]
  resources: [events]
  verbs: [list, watch, create]
{{- if .Values.kueue.enabled }}
# To ask Kueue for the quota of runs, and to give it back.
- apiGroups: [kueue.x-k8s.io]
  resources: [workloads]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [kueue.x-k8s.io]
  resources: [workloads/status]
  verbs: [patch]
{{- end }}
{{- end -}}
