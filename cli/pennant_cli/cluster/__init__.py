"""`kubectl pennant`: what is so in the cluster, why, what would change it, and what a person says.

commands.py   arguments and help
api.py        requests to the API server, by whatever a kubeconfig says
refusals.py   what its refusals mean, and what to do
seeing.py     one ModelDeployment as `plan` sees it, as far as this user may look
answering.py  `why`, as text and as data
tree.py       `status`
acting.py     RolloutActions
looking.py    events, logs, and a request to the model
"""
