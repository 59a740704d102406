"""Requests wait here while the only place for pods is handed from one version to the next.

`python -m pennant_serving.lobby` is a small proxy in front of a Service of pods. While some of them
answer it passes everything on at once. While none does, what comes waits: HTTP by the request, gRPC
by the connection, until a pod takes connections again or the time is over.

    settings.py LobbySettings       read once
    server.py Lobby                 ports; SIGTERM: takes no more, ends what is under way, leaves
    relay.py Relay                  one connection: to a pod when there is one, the answer back
    http.py HttpRelay               the same for one HTTP request; heads.py writes its heads anew
    buffer.py Buffer, Pages         what has come and may have to be sent again, within a bound
    pods.py Pods                    connects; while nobody answers, one tries for all
    probes.py                       /livez, /readyz and /metrics, on a port of their own
    counts.py LobbyCounts           its metrics

It has no model and no credentials, and knows no versions. An HTTP connection has one request: its
client, and its pod, are asked to close it then, so that nobody keeps a connection to a lobby that
leaves.
"""
