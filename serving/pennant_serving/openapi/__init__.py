"""How the loaded model is asked: /openapi.json for tools, /docs for people.

Both are made from the model's own signature and input example, and need nothing from outside.
"""
