"""HTTP connections: how requests are told apart, in which order they are answered, how long each
may take, and how a connection ends.

Moving a Service's selector does not move connections that are established. So each connection ends,
after a while, with a response that says `Connection: close`, and the client's next request goes to
whoever has the traffic then. Only a response ends it: closing an idle connection could meet a
request that is already on its way.

`reading` makes requests of bytes, `turns` has them answered one after the other: each by an
`Exchange` of the fast lane, by a `Call` of the application, or by a `Refusal`. `limits` says what
a client may do for how long, of what `sight` and `arriving` see; it knows nothing of sockets.

`connection` is what the server makes for each; it has a `Reader`. That, and all answers, know of it
what `answering` says.
"""
