#!/usr/bin/env bash
# Deploys the sample's cloud function to Cloud Run, with all it needs: see `deploy.sh --help`.
set -euo pipefail

help() {
  cat <<'EOF'
usage: deploy.sh --project PROJECT [OPTION]...

Deploys a function to Cloud Run, behind a Pub/Sub push subscription with a dead-letter topic. May be run again: what is
there is kept or updated. Needs gcloud, logged in, and docker where --image is not given.

  --project PROJECT  the Google Cloud project
  --region REGION    where it runs (default: europe-west1)
  --name NAME        of the service and its subscription (default: my-function)
  --topic TOPIC      to which calls are published (default: my-topic)
  --image IMAGE      a container that is already pushed (default: build sample/deploy/Dockerfile and push it)
  --dry-run          print every command and run none
  --help             say this

What it makes: the topic; TOPIC-dead, the dead-letter topic, and a subscription that keeps what arrives there; the
service, which only Pub/Sub may call; its subscription; and two identities with the least rights: NAME-run, as which the
function runs and may publish to the topic, and NAME-push, as which Pub/Sub may call the service.
EOF
}

fail() { printf 'deploy.sh: %s\n' "$*" >&2; exit 2; }

project="" region=europe-west1 name=my-function topic=my-topic image="" dry_run=""
while (($#)); do
  case $1 in
    --help) help; exit 0 ;;
    --dry-run) dry_run=1; shift ;;
    --project | --region | --name | --topic | --image)
      [[ ${2-} ]] || fail "$1 needs a value"
      printf -v "${1#--}" %s "$2"
      shift 2 ;;
    *) fail "unknown option \"$1\"; deploy.sh --help lists them" ;;
  esac
done
[[ $project ]] || fail "--project is missing: the id of a Google Cloud project (gcloud projects list)"
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

# Prints a command as it could be typed, quoted only where that is needed.
show() { printf '%s\n' "${*@Q}" | sed "s/'\([A-Za-z0-9_@%+=:,./-]*\)'/\1/g"; }

# Shows a command, and runs it.
run() {
  show "$@"
  [[ $dry_run ]] || "$@"
}

# What a command says; in a dry run, the second argument.
ask() {
  local otherwise=$1
  shift
  if [[ $dry_run ]]; then echo "$otherwise"; else "$@"; fi
}

# ensure KIND... -- NAME FLAG...: makes what is not there yet.
ensure() {
  local kind=()
  while [[ $1 != -- ]]; do kind+=("$1"); shift; done
  shift
  local place=() flag
  for flag in "${@:2}"; do [[ $flag == --location=* ]] && place=("$flag"); done
  local described=$1
  [[ ${kind[*]} == "iam service-accounts" ]] && described=$1@$project.iam.gserviceaccount.com
  if [[ ! $dry_run ]] &&
    gcloud "${kind[@]}" describe "$described" "${place[@]}" --project="$project" >/dev/null 2>&1; then
    return
  fi
  run gcloud "${kind[@]}" create "$@" --project="$project"
}

# allow KIND... -- NAME MEMBER ROLE FLAG...: granting twice is granting once.
allow() {
  local kind=()
  while [[ $1 != -- ]]; do kind+=("$1"); shift; done
  shift
  local command=(gcloud "${kind[@]}" add-iam-policy-binding "$1" --member="serviceAccount:$2" --role="$3" "${@:4}"
    --project="$project")
  show "${command[@]}"
  [[ $dry_run ]] || "${command[@]}" >/dev/null  # it prints the whole policy
}

runner=$name-run@$project.iam.gserviceaccount.com
pusher=$name-push@$project.iam.gserviceaccount.com

run gcloud services enable run.googleapis.com pubsub.googleapis.com artifactregistry.googleapis.com --project="$project"

if [[ ! $image ]]; then
  image=$region-docker.pkg.dev/$project/functions/$name
  ensure artifacts repositories -- functions --repository-format=docker --location="$region"
  run gcloud auth configure-docker "$region-docker.pkg.dev" --quiet
  run docker build --file=sample/deploy/Dockerfile --tag="$image" .
  run docker push "$image"
fi

ensure iam service-accounts -- "$name-run" --display-name="Runs $name"
ensure iam service-accounts -- "$name-push" --display-name="Pushes calls to $name"
ensure pubsub topics -- "$topic"
ensure pubsub topics -- "$topic-dead"
ensure pubsub subscriptions -- "$topic-dead" --topic="$topic-dead" --expiration-period=never
# So that a function may dispatch calls itself.
allow pubsub topics -- "$topic" "$runner" roles/pubsub.publisher

run gcloud run deploy "$name" --image="$image" --region="$region" --service-account="$runner" \
  --no-allow-unauthenticated --project="$project" \
  --set-env-vars="GCP_PROJECT=$project,CLOUD_FUNCTIONS_DISPATCH_GCP_PUBSUB_TOPIC=$topic"
allow run services -- "$name" "$pusher" roles/run.invoker --region="$region"
url=$(ask "https://$name.example" gcloud run services describe "$name" --region="$region" --project="$project" \
  --format='value(status.url)')

delivery=(--push-endpoint="$url" --push-auth-service-account="$pusher" --push-auth-token-audience="$url"
  --ack-deadline=600 --min-retry-delay=10s --max-retry-delay=600s --dead-letter-topic="$topic-dead"
  --max-delivery-attempts=5 --expiration-period=never)
if [[ ! $dry_run ]] && gcloud pubsub subscriptions describe "$name" --project="$project" >/dev/null 2>&1; then
  run gcloud pubsub subscriptions update "$name" "${delivery[@]}" --project="$project"
else
  run gcloud pubsub subscriptions create "$name" --topic="$topic" "${delivery[@]}" --project="$project"
fi

# Pub/Sub's own identity moves dead letters: it publishes them, and acknowledges them here.
number=$(ask PROJECT_NUMBER gcloud projects describe "$project" --format='value(projectNumber)')
agent=service-$number@gcp-sa-pubsub.iam.gserviceaccount.com
allow pubsub topics -- "$topic-dead" "$agent" roles/pubsub.publisher
allow pubsub subscriptions -- "$name" "$agent" roles/pubsub.subscriber

[[ $dry_run ]] || cat <<EOF

$name runs at $url. Call it:
  GCP_PROJECT=$project CLOUD_FUNCTIONS_DISPATCH_GCP_PUBSUB_TOPIC=$topic build/release/sample/sample_caller
  gcloud run services logs read $name --region=$region --project=$project
EOF
