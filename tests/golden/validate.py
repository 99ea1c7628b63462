"""validate.py SCHEMAS DOCUMENT...: each document by the schema that it names; each schema at least once (but UNTRIED)."""
import json
import os
import pathlib
import sys

import jsonschema


def refuse_duplicates(pairs):
    names = [name for name, _ in pairs]
    if len(names) != len(set(names)):
        raise ValueError(f"a name is there twice: {names}")
    return dict(pairs)


def main():
    folder = pathlib.Path(sys.argv[1])
    validators = {}
    for path in sorted(folder.glob("*.schema.json")):
        schema = json.loads(path.read_text(encoding="utf-8"))
        kind = jsonschema.validators.validator_for(schema)
        kind.check_schema(schema)
        validators[path.name.removesuffix(".schema.json")] = kind(schema)
    tried = dict.fromkeys(validators, 0)
    failed = 0
    for name in sys.argv[2:]:
        text = pathlib.Path(name).read_text(encoding="utf-8")
        document = json.loads(text, object_pairs_hook=refuse_duplicates)
        which = document.get("schema")
        if not text.endswith("}\n") or next(iter(document)) != "schema" or which not in validators:
            print(f"{name}: not one whole document that begins with a schema known here: {which}")
            failed += 1
            continue
        tried[which] += 1
        for error in validators[which].iter_errors(document):
            print(f"{name}: {which}: {'/'.join(map(str, error.absolute_path))}: {error.message[:300]}")
            failed += 1
    for which, count in tried.items():
        print(f"{which}: {count} documents")
        if count == 0 and which != os.environ.get("UNTRIED"):
            print(f"{which}: never tried")
            failed += 1
    return 1 if failed else 0


sys.exit(main())
