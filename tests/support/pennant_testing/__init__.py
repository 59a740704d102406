"""What the tests of every tier, the soak and bench/ share.

memory         a cluster, an operator and a Lease in memory; every situation; the laws as checks
control_plane  a real API server without nodes: objects, pretended pods, the operator as a process
cluster        the cluster with pods and traffic, and the scripts that run in its pods
mlflow         MLflow servers, what stands before them, and what lies in their name
serving        models and adapters, the serving process, and MLflow's server beside ours
packages       wheels that a test makes, an index that serves them, bundles that ask for them
truth          whether a status is true: against traffic, and as kstatus reads it
running        which tests run where and when, and what the end of a run says
"""
