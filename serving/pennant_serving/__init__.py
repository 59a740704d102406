"""What runs in a model pod: `fetch`, then `serve`. This is the map: files below this folder, and
their functions, in the order of what happens.

Life of a pod: `fetch` (init container) puts a verified bundle and its manifest on the volume;
`python -m pennant_serving` opens the port, is live at once, loads the bundle by an adapter, tries
it on its own input example, and becomes ready. SIGTERM takes readiness away, then drains. Both
containers end with one JSON object as their termination message (failures.py), which is all the
operator ever reads from them.

    fetch/__main__.py main          settings -> fetch/__init__.py fetch: download, verify, publish
    environment/providing.py        where the model brings its packages: resolved, installed
    cache/using.py use              where pods share a cache: either by way of that
    environment/overlay.py activate these in front of the image's, before anything is imported
    __main__.py main                settings -> http/listener.py listen: the port, then the imports
    process/starter.py given        or, on a laptop, a socket that two versions share
    process/workers.py supervise    of several workers: load once, fork, watch (supervisor.py)
    process/run.py run              one event loop with the server on it
    process/startup.py bring_up     bundle/bundle.py open_bundle, adapters/loading.py load,
                                    process/selftest.py self_test, batching/proof.py,
                                    rehearsal/rehearse.py rehearse, then ready
    lifecycle/lifecycle.py          starting, ready, draining: what the probes answer
    http/server.py Server           SIGTERM: readiness fails, connections end, requests do not

Life of a request: codec -> `Rows` -> the model's `predict` -> codec.

    http/connections/connection.py  HttpConnection.data_received; limits.py verdict, once a second
    http/connections/reading.py     Reader: bytes to requests, answered in order (turns.py)
    fast/lane.py, fast/exchange.py  the short way of a small request of numbers: no application,
                                    on to `Batcher.submit`
    http/connections/call.py Call   every other: http/app.py create_app, its middleware
                                    (metrics/telemetry.py Observed, http/crowd.py Refusing,
                                    http/endpoints/body.py Admitted), one of its endpoints
    http/endpoints/                 v2.py infer, mlflow.py invoke, own.py: the adapter's own routes
    grpc/service.py Service         the same by gRPC, from its port
    codecs/                         v2.py decode, invocations.py parse: bytes to rows.py Rows
    inference.py answer             what both transports of V2 do around the model
    model/model.py Model.predict    -> batching/batcher.py Batcher.predict, which waits its turn
    batching/runner.py Runner       one batch, in the event loop or in a thread: joins, asks, splits
    adapters/base.py Adapter        predict: the code that knows this kind of bundle
    codecs/                         v2.py encode, invocations.py encode
    metrics/telemetry.py            counted and timed; accesslog.py and sampling/ write it down
    traffic/sharing.py              Sharing: a share of them for another version, if asked for
    recent/memory.py                Recent: the newest of them, for the version that comes next

Beside the pods, while all of them are replaced at once: `python -m pennant_serving.lobby`, whose
map is in lobby/__init__.py.

In this folder itself is what several rooms need: settings.py, environ.py and cpus.py, errors.py (of
a request) and failures.py (of a container), admission.py, accesslog.py, inference.py and rows.py.
"""

import time

BEGUN = time.monotonic()
"""When the first of our lines ran."""
