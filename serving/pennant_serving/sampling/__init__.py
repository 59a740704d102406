"""Telemetry of sampled requests: the payload log, and traces.

A sample is drawn when a request's head has arrived. A request that is drawn goes the general way,
never through the fast lane, so those that are not drawn pay for the draw alone, and a server that
draws none pays nothing: its connections are of another class. The `Record` of a request goes with
it as a context variable; endpoints note in it what they learn.
"""
