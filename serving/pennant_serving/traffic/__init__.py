"""A share of the predictions for another version: handed over to a candidate, or copied to a
challenger.

    shares.py       what the traffic file says
    following.py    looks at the file, and has its shares heeded
    choosing.py     which requests a share takes: by counting, or by who asks
    sharing.py      all of it together: what a connection asks for each request
    handing.py      the candidate answers, or else this pod
    mirroring.py    a challenger answers a copy, and both answers are compared
    comparing.py    how far two answers are apart
    upstream.py     connections to another version's Service; reply.py, one of them
    forwarding.py   what is sent on of a request, and passed back of an answer
    counting.py     what became of it, in metrics and in the report of answers

Only a pod with a traffic file imports any of it. While the file asks for nothing, a connection has
no `Chooser`, and a request costs what it costs without. gRPC's are the pod's own, all of them.
"""
