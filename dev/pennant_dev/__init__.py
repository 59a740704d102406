"""A cluster for everybody: one command that gives real pods, Services and DNS.

settings      where state and caches are; read from the environment once
cluster       the command `dev/cluster`; picks a provider
kind          provider: kind, where a Docker daemon answers
local         provider: two real nodes from Debian packages and Go modules
context       provider: the cluster of the user's own kubeconfig
controlplane  etcd and kube-apiserver alone; also the integration tests' API server
images        the command `dev/images`; builds the Dockerfile's targets
shelf         what was built, on disk: equal layers once, for every node only what it lacks
"""
