"""Requests that wait together are predicted together.

Every protocol hands its decoded input to one `Batcher`: `await model.predict(rows, protocol)` from
a coroutine (gRPC, CSV, whatever is not the hottest path), or `batcher.submit(Work(...))` with a
callback where a future for each request would cost too much. The answer is the part of the result
that belongs to the request's rows. `Rows.values` may be a list or an array; adapters that have an
`array_spec` are asked by arrays of that type, which may also be submitted as they are.

`inputs` makes of rows what the model is given, `line` has what waits, `policy` decides when a batch
may start, `joining` makes one input of many and many results of one, `speed` knows what is short
enough for the event loop, `runner` asks the model, `cut` feeds large requests part by part, `proof`
tries at the start what may be joined.
"""
