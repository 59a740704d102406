"""What is so: Kubernetes and MLflow, read into what `decide` decides from (`gather`).

Nothing of Kubernetes is written from here. In MLflow one thing is, where a ModelRegistry asks for
it: the webhook that tells of a moved alias (`webhook/subscription.py`).

- `cluster/`: ModelDeployments and their children: watched, listed and read into `store`
- `mlflow/`: one server's REST API (`api`), over connections (`http`) with a Secret's credentials
- `poll/`: the answers of one registry (`known`) kept fresh by its `poller`
- `webhook/`: one registry's hooks, taken by `webhook`, and MLflow told where to send them
- `registries/`: all ModelRegistries (`registries`), each followed by a poller and a webhook
"""
