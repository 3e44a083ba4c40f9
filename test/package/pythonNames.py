"""Runs a Python program against a stand-in of the SDK that `pulumi package add` makes from schema.json, and prints each component with its arguments as JSON.

The stand-in has the schema's resources and types under the names that Pulumi gives them in Python, and refuses any argument that the schema does not have.
Usage: pythonNames.py SCHEMA PROGRAM
"""
import json
import re
import sys
import types

schema = json.load(open(sys.argv[1]))
made = []


def snake(name):
    return re.sub("([A-Z])", r"_\1", name).lower()


def plain(value):
    if isinstance(value, list):
        return [plain(item) for item in value]
    return getattr(value, "inputs", value)


def arguments(of, properties, given):
    names = {snake(name): name for name in properties}
    unknown = sorted(set(given) - set(names))
    if unknown:
        raise TypeError(f"{of} has no argument {', '.join(unknown)}")
    return {names[name]: plain(value) for name, value in given.items()}


def resource_class(token, properties):
    def make(self, name, opts=None, **given):
        made.append({"name": name, "type": token, "inputs": arguments(token, properties, given)})

    return type(token.split(":")[2], (), {"__init__": make})


def arguments_class(token, properties):
    def make(self, **given):
        self.inputs = arguments(token, properties, given)

    return type(token.split(":")[2] + "Args", (), {"__init__": make})


module = types.ModuleType("pulumi_tidesql")
for token, resource in schema["resources"].items():
    setattr(module, token.split(":")[2], resource_class(token, resource["inputProperties"]))
for token, described in schema["types"].items():
    setattr(module, token.split(":")[2] + "Args", arguments_class(token, described.get("properties", {})))
sys.modules["pulumi_tidesql"] = module

exec(compile(open(sys.argv[2]).read(), sys.argv[2], "exec"), {"__name__": "__main__"})
print(json.dumps(made))
