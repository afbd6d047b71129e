"""Run every benchmark of this folder, or those named: python -m benchmarks [NAME …]."""

import importlib
import pkgutil
import sys

import benchmarks


def main(chosen: list[str]) -> None:
    """Import each chosen module and call its `main()`."""
    names = [module.name for module in pkgutil.iter_modules(benchmarks.__path__) if not module.name.startswith("_")]
    unknown = sorted(set(chosen).difference(names))
    if unknown:
        sys.exit(f"no benchmark called {', '.join(unknown)}; there are: {', '.join(names)}")
    for name in chosen or names:
        print(f"\n## {name}\n", flush=True)
        importlib.import_module(f"benchmarks.{name}").main()


main(sys.argv[1:])
