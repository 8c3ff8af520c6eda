# The same as deploy.sh makes, for those who keep their cloud in Terraform. The image must be in a registry already:
#   docker build -f sample/deploy/Dockerfile -t IMAGE . && docker push IMAGE
#   terraform init && terraform apply -var project=my-project -var image=IMAGE

terraform {
  required_version = ">= 1.5"
  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 5.0"
    }
  }
}

variable "project" {
  description = "The Google Cloud project."
  type        = string
}

variable "image" {
  description = "The function's container."
  type        = string
}

variable "region" {
  description = "Where the function runs."
  type        = string
  default     = "europe-west1"
}

variable "name" {
  description = "Name of the service and of its subscription."
  type        = string
  default     = "my-function"
}

variable "topic" {
  description = "To which calls are published."
  type        = string
  default     = "my-topic"
}

provider "google" {
  project = var.project
  region  = var.region
}

data "google_project" "this" {}

locals {
  # Pub/Sub's own identity, which moves dead letters.
  pubsub_agent = "serviceAccount:service-${data.google_project.this.number}@gcp-sa-pubsub.iam.gserviceaccount.com"
}

resource "google_project_service" "needed" {
  for_each           = toset(["run.googleapis.com", "pubsub.googleapis.com"])
  service            = each.value
  disable_on_destroy = false
}

# Two identities: as which the function runs, and as which Pub/Sub calls it.
resource "google_service_account" "run" {
  account_id   = "${var.name}-run"
  display_name = "Runs ${var.name}"
}

resource "google_service_account" "push" {
  account_id   = "${var.name}-push"
  display_name = "Pushes calls to ${var.name}"
}

resource "google_pubsub_topic" "calls" {
  name       = var.topic
  depends_on = [google_project_service.needed]
}

resource "google_pubsub_topic" "dead" {
  name       = "${var.topic}-dead"
  depends_on = [google_project_service.needed]
}

# Without a subscription a dead-letter topic loses what arrives there.
resource "google_pubsub_subscription" "dead" {
  name  = "${var.topic}-dead"
  topic = google_pubsub_topic.dead.id
  expiration_policy {
    ttl = ""
  }
}

# So that a function may dispatch calls itself.
resource "google_pubsub_topic_iam_member" "run_publishes" {
  topic  = google_pubsub_topic.calls.id
  role   = "roles/pubsub.publisher"
  member = google_service_account.run.member
}

resource "google_cloud_run_v2_service" "function" {
  name       = var.name
  location   = var.region
  depends_on = [google_project_service.needed]

  template {
    service_account = google_service_account.run.email
    containers {
      image = var.image
      env {
        name  = "GCP_PROJECT"
        value = var.project
      }
      env {
        name  = "CLOUD_FUNCTIONS_DISPATCH_GCP_PUBSUB_TOPIC"
        value = google_pubsub_topic.calls.name
      }
    }
  }
}

resource "google_cloud_run_v2_service_iam_member" "push_calls" {
  name     = google_cloud_run_v2_service.function.name
  location = var.region
  role     = "roles/run.invoker"
  member   = google_service_account.push.member
}

resource "google_pubsub_subscription" "calls" {
  name                 = var.name
  topic                = google_pubsub_topic.calls.id
  ack_deadline_seconds = 600

  push_config {
    push_endpoint = google_cloud_run_v2_service.function.uri
    oidc_token {
      service_account_email = google_service_account.push.email
      audience              = google_cloud_run_v2_service.function.uri
    }
  }
  retry_policy {
    minimum_backoff = "10s"
    maximum_backoff = "600s"
  }
  dead_letter_policy {
    dead_letter_topic     = google_pubsub_topic.dead.id
    max_delivery_attempts = 5
  }
  expiration_policy {
    ttl = ""
  }
}

resource "google_pubsub_topic_iam_member" "agent_publishes_dead_letters" {
  topic  = google_pubsub_topic.dead.id
  role   = "roles/pubsub.publisher"
  member = local.pubsub_agent
}

resource "google_pubsub_subscription_iam_member" "agent_acknowledges_dead_letters" {
  subscription = google_pubsub_subscription.calls.id
  role         = "roles/pubsub.subscriber"
  member       = local.pubsub_agent
}

output "url" {
  description = "Where the function runs."
  value       = google_cloud_run_v2_service.function.uri
}
