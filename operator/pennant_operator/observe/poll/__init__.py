"""One registry's answers: `poller` is the door; `poll` is one poll, `known` what came of them."""
