"""A stand-in for salt-call: renders a state file as Salt does (Jinja, then YAML) and runs its cmd.run states.

usage: salt_run.py STATE.sls PILLAR.yaml [test]; prints the id of each state with what became of it; exit 1 if one fails.
"""
import subprocess
import sys

import jinja2
import yaml


def render(path: str, pillar: dict) -> dict:
    with open(path, encoding='utf-8') as file:
        source = file.read()
    environment = jinja2.Environment(extensions=['jinja2.ext.do'], undefined=jinja2.StrictUndefined)
    return yaml.safe_load(environment.from_string(source).render(pillar=pillar))


def shell(command: str) -> subprocess.CompletedProcess:
    return subprocess.run(['/bin/sh', '-c', command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          universal_newlines=True, check=False)


def run_state(options: dict, test: bool) -> str:
    """What becomes of a cmd.run with an unless."""
    if shell(options['unless']).returncode == 0:
        return 'unchanged'
    if test:
        return 'would run'
    done = shell(options['name'])
    print(done.stdout, end='')
    return 'changed' if done.returncode == 0 else 'failed'


def main() -> int:
    with open(sys.argv[2], encoding='utf-8') as file:
        pillar = yaml.safe_load(file)
    failed = False
    for name, body in render(sys.argv[1], pillar).items():
        options = {key: value for item in body['cmd.run'] for key, value in item.items()}
        what = run_state(options, 'test' in sys.argv[3:])
        print('%s: %s' % (name, what))
        failed = failed or what == 'failed'
    return 1 if failed else 0


sys.exit(main())
