"""The server: recognition over HTTP and WebSocket, in bounds of memory, time and number. Needs no torch.

`emogram.server.application.create` makes the application, `emogram.server.running.serve` runs it. The settings lie in
`emogram.server.settings`, which imports neither FastAPI nor a model, so that the command line can show them.
"""
