"""What runs in a model pod.

Life of a pod: `fetch` (init container) puts a verified bundle and its manifest on the volume;
`python -m pennant_serving` opens the port, is live at once, loads the bundle by an adapter, tries
it on its own input example, and becomes ready. SIGTERM takes readiness away, then drains.

Life of a request: codec (`codecs/`: Open Inference V2 or MLflow's JSON) -> `Rows` -> the model's
`predict` in a bounded thread pool -> codec. Both containers end with one JSON object as their
termination message (`failures`), which is all the operator ever reads from them.
"""

import time

BEGUN = time.monotonic()
"""When the first of our lines ran."""
