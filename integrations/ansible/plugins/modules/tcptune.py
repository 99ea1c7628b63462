#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright: tcptune contributors
# MIT License (see LICENSE in tcptune's source)
"""The Ansible module tcptune: words for the program of that name, and its JSON as a result."""

DOCUMENTATION = r'''
---
module: tcptune
short_description: Tune a Linux host's TCP as one transaction
version_added: 0.1.0
description:
  - Sets what profiles, or single settings, ask for with C(tcptune apply). Live values and the drop-in
    C(/etc/sysctl.d/99-tcptune.conf) are one transaction. If anything is refused or fails, everything is as it was
    before, and the task fails with the reason.
  - Confirms an apply that waits for it, takes a transaction back, or checks whether the host conforms.
  - The second run changes nothing and writes nothing.
options:
  state:
    description:
      - C(applied) sets what C(profile) and C(settings) ask for.
      - C(confirmed) keeps an apply that was made with C(confirm_within). If none waits, nothing is changed.
      - C(rolled_back) takes back the newest apply that still stands, or C(transaction). If there is none, nothing is
        changed. It is never a redo, but a second run takes back the apply before; name the C(transaction) where that
        must not be.
      - C(checked) tells whether the host conforms to C(profile) and C(settings), or without them to what was applied.
        It never changes anything, and a host that doesn't conform is no failure. See C(conforms).
    type: str
    choices: [applied, confirmed, rolled_back, checked]
    default: applied
  profile:
    description:
      - The profiles to apply or to check against. A name with a C(/) is a file on the host.
    type: list
    elements: str
    aliases: [profiles]
  variables:
    description:
      - Variables of the profiles and facts of the host, by name. A number, a string with a unit (C(10min), C(64MiB)) or
        a boolean.
    type: dict
  settings:
    description:
      - Single settings, value by key, as for C(tcptune apply --set). A value with several fields is a string or a
        list; a list of ports is a string, C(8080,9000-9010).
      - Beside C(profile) they override what the profiles say of that key. Alone they touch nothing but these keys.
    type: dict
  confirm_within:
    description:
      - Change live values only, and put them back after so many seconds unless a task with C(state=confirmed) comes in
        time. It must be longer than the tasks in between take.
    type: int
  transaction:
    description:
      - The transaction to confirm or to take back, as C(transaction) of an earlier task has it. Without it the one
        that waits, or the newest that still stands.
    type: int
  reason:
    description:
      - Why, for C(tcptune history) and the drop-in's comment. It never makes a change by itself.
    type: str
  persist:
    description:
      - C(true) writes the drop-in even outside the initial network namespace, C(false) changes live values only.
        Without it tcptune writes the drop-in in the initial network namespace.
    type: bool
  live:
    description:
      - C(false) writes the drop-in only; live values stay as they are.
    type: bool
    default: true
  boot:
    description:
      - Which program applies sysctl files at boot, instead of finding out.
    type: str
    choices: [systemd, procps, both]
  allow_shadowed:
    description:
      - Go on although another file overrides the drop-in at the next boot. Without it that is refused, with file and
        line.
    type: bool
    default: false
  modules_load:
    description:
      - Write C(/etc/modules-load.d/tcptune.conf) as well, for keys whose kernel module isn't loaded yet.
    type: bool
    default: false
  force:
    description:
      - With C(state=rolled_back), take back values that somebody changed since, too.
    type: bool
    default: false
  netns:
    description:
      - The network namespace to work in. A name, a process id or a path.
    type: str
  root:
    description:
      - Work on the files below this directory (an image) instead of the running host.
    type: path
  wait:
    description:
      - Wait so many seconds for another tcptune that is at work. Without it the task fails at once (C(rc) is 5).
    type: int
  executable:
    description:
      - The program, a name or a path.
    type: path
    default: tcptune
attributes:
  check_mode:
    description: Makes the same plan, writes nothing, and fails where the task itself would be refused.
    details: With C(state=confirmed) the history is asked whether one waits, or was lost.
    support: full
  diff_mode:
    description: Shows each value before and after, and the drop-in as a unified diff.
    support: full
  platform:
    description: Where it works.
    support: full
    platforms: linux
notes:
  - C(state=applied), C(state=confirmed) and C(state=rolled_back) need root, but not in check mode. Use C(become).
  - With C(state=applied), at least one of C(profile) and C(settings) is required.
  - An option that the C(state) has no use for is an error, so that a misplaced one isn't passed over.
requirements:
  - tcptune on the host
  - python >= 3.6 on the host
author:
  - tcptune contributors (@tcptune)
'''

EXAMPLES = r'''
- name: A host that holds very many connections
  become: true
  tcptune.tcptune.tcptune:
    profile: highconn
    reason: "{{ change_id }}"
  notify: Restart the listeners that keep an old limit
  register: tuned

# The handler:
- name: Restart the listeners that keep an old limit
  become: true
  ansible.builtin.service:
    name: "{{ item }}"
    state: restarted
  loop: "{{ tuned.restart_needed | map(attribute='unit') | select | unique }}"

- name: Two profiles, a variable, and one key by itself
  become: true
  tcptune.tcptune.tcptune:
    profile: [highconn, longlived]
    variables:
      tw_buckets: 524288
    settings:
      net.ipv4.tcp_rmem: [4096, 131072, 16777216]

- name: Instead of ansible.posix.sysctl
  become: true
  tcptune.tcptune.tcptune:
    settings:
      net.ipv4.tcp_tw_reuse: 1

- name: Apply, look whether the host still answers, then keep it or take it back
  become: true
  block:
    - name: Apply for two minutes
      tcptune.tcptune.tcptune:
        profile: highconn
        confirm_within: 120
      register: tuned
    - name: Does a new connection still work?
      delegate_to: localhost
      become: false
      ansible.builtin.wait_for:
        host: "{{ inventory_hostname }}"
        port: 443
        timeout: 30
    - name: Keep it, for the next boot too
      tcptune.tcptune.tcptune:
        state: confirmed
  rescue:
    - name: Take it back
      when: tuned.transaction | default(none) is not none
      tcptune.tcptune.tcptune:
        state: rolled_back
        transaction: "{{ tuned.transaction }}"

- name: Has anybody changed what was applied?
  tcptune.tcptune.tcptune:
    state: checked
  register: host
  failed_when: not host.conforms
'''

RETURN = r'''
changed:
  description: Whether anything was changed; in check mode, whether it would be.
  returned: always
  type: bool
rc:
  description: tcptune's exit code. With 3 it was refused, with 4 something could not be put back, with 5 another one
    was at work.
  returned: when tcptune was run
  type: int
command:
  description: What was run.
  returned: when tcptune was run
  type: list
  elements: str
transaction:
  description: The number of the transaction that was made, for C(transaction) and C(tcptune history show).
  returned: when tcptune gave a document
  type: int
  sample: 7
settings:
  description: What was changed, key by key.
  returned: when tcptune gave a document
  type: list
  elements: dict
  sample: [{"key": "net.core.somaxconn", "before": 4096, "after": 16384, "live_written": true, "persisted": true,
            "because": "the cap on every listen() backlog"}]
drop_in:
  description: The drop-in, its hashes before and after, and the unified diff.
  returned: when tcptune gave a document
  type: dict
restart_needed:
  description: The listeners that keep an old limit until they call listen() again.
  returned: when tcptune gave a document
  type: list
  elements: dict
  sample: [{"unit": "nginx.service", "pid": 812, "comm": "nginx", "address": "0.0.0.0", "port": 443, "backlog": 511}]
refused:
  description: What was refused, and why. Nothing is changed then, and the task fails.
  returned: when tcptune gave a document
  type: list
  elements: dict
unsupported:
  description: Keys that this kernel or this namespace hasn't. They count as conforming.
  returned: when tcptune gave a document
  type: list
  elements: dict
shadowed:
  description: Keys that another file overrides at the next boot, with file and line.
  returned: when tcptune gave a document
  type: list
  elements: dict
conflicts:
  description: Values that a rollback left alone because somebody changed them since. The task fails if there are any.
  returned: when tcptune gave a document
  type: list
  elements: dict
waiting:
  description: Until when a confirmation is waited for; null if it isn't.
  returned: when tcptune gave a document
  type: dict
rolled_back:
  description: Whether a failure was put back whole.
  returned: when tcptune gave a document
  type: bool
recovered:
  description: The interrupted transaction that was put right first; null if there was none.
  returned: when tcptune gave a document
  type: int
expired:
  description: The transaction that had not been confirmed in time and was put back first; null if there was none.
  returned: when tcptune gave a document
  type: int
confirmed:
  description: The transaction that is kept, now or already; null if none waits.
  returned: with C(state=confirmed)
  type: int
undid:
  description: The transaction that was taken back; null if there was none.
  returned: with C(state=rolled_back)
  type: int
conforms:
  description: Whether the host conforms, live and at the next boot.
  returned: with C(state=checked)
  type: bool
'''

import datetime
import json
import os
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

from ansible.module_utils.basic import AnsibleModule

Params = Dict[str, Any]
Document = Dict[str, Any]

ARGUMENTS: Dict[str, Dict[str, Any]] = {
    'state': {'type': 'str', 'choices': ['applied', 'confirmed', 'rolled_back', 'checked'], 'default': 'applied'},
    'profile': {'type': 'list', 'elements': 'str', 'aliases': ['profiles']},
    'variables': {'type': 'dict'},
    'settings': {'type': 'dict'},
    'confirm_within': {'type': 'int'},
    'transaction': {'type': 'int'},
    'reason': {'type': 'str'},
    'persist': {'type': 'bool'},
    'live': {'type': 'bool', 'default': True},
    'boot': {'type': 'str', 'choices': ['systemd', 'procps', 'both']},
    'allow_shadowed': {'type': 'bool', 'default': False},
    'modules_load': {'type': 'bool', 'default': False},
    'force': {'type': 'bool', 'default': False},
    'netns': {'type': 'str'},
    'root': {'type': 'path'},
    'wait': {'type': 'int'},
    'executable': {'type': 'path', 'default': 'tcptune'},
}

# Options that tell nothing to the program itself.
OURS = ('state', 'executable')


class Verb(NamedTuple):
    """What a state runs, and which options it takes."""

    command: str
    options: Tuple[str, ...]
    dry_run: bool  # has a --dry-run
    fine: Tuple[int, ...]  # exit codes that are no failure; in check mode 1 (differences) is one more


VERBS = {
    'applied': Verb('apply', (
        'profile', 'variables', 'settings', 'confirm_within', 'reason', 'persist', 'live', 'boot', 'allow_shadowed',
        'modules_load', 'netns', 'root', 'wait'), True, (0,)),
    'confirmed': Verb('confirm', ('transaction', 'netns', 'wait'), False, (0,)),
    'rolled_back': Verb('rollback', ('transaction', 'reason', 'force', 'netns', 'root', 'wait'), True, (0,)),
    'checked': Verb('check', ('profile', 'settings', 'variables', 'boot', 'netns', 'root'), False, (0, 1)),
}

RESULTS = ('transaction', 'settings', 'drop_in', 'restart_needed', 'refused', 'unsupported', 'shadowed', 'conflicts',
           'waiting', 'rolled_back', 'recovered', 'expired', 'undid', 'confirmed', 'conforms')


def value_text(value: Any) -> str:
    """Write a value of YAML as a word of the command line: [4096, 131072] is "4096 131072", true is 1."""
    if isinstance(value, bool):
        return '1' if value else '0'
    if isinstance(value, (list, tuple)):
        return ' '.join(value_text(field) for field in value)
    return str(value)


def variable_text(value: Any) -> str:
    """The same for a profile's variable, which may be a boolean."""
    if isinstance(value, bool):
        return 'true' if value else 'false'
    return value_text(value)


def one(option: str) -> Callable[[Any], List[str]]:
    return lambda value: ['%s=%s' % (option, value)]


def flag(option: str, otherwise: Optional[str] = None) -> Callable[[bool], List[str]]:
    return lambda value: [option] if value else [otherwise] if otherwise else []


def each(option: str) -> Callable[[List[str]], List[str]]:
    return lambda values: ['%s=%s' % (option, value) for value in values]


def pairs(option: str, text: Callable[[Any], str]) -> Callable[[Dict[str, Any]], List[str]]:
    return lambda values: ['%s=%s=%s' % (option, name, text(value)) for name, value in sorted(values.items())]


WORDS: Dict[str, Callable[[Any], List[str]]] = {
    'profile': each('--profile'),
    'variables': pairs('--var', variable_text),
    'settings': pairs('--set', value_text),
    'confirm_within': one('--confirm-within'),
    'transaction': lambda value: [str(value)],
    'reason': lambda value: one('--reason')(value) if value else [],
    'persist': flag('--persist', '--no-persist'),
    'live': lambda value: [] if value else ['--no-live'],
    'boot': one('--boot'),
    'allow_shadowed': flag('--allow-shadowed'),
    'modules_load': flag('--modules-load'),
    'force': flag('--force'),
    'netns': one('--netns'),
    'root': one('--root'),
    'wait': one('--wait'),
}


def is_given(params: Params, name: str) -> bool:
    value = params[name]
    return value not in (None, [], {}) and value != ARGUMENTS[name].get('default')


def misplaced(params: Params) -> List[str]:
    """The options that were given and that the state has no use for."""
    taken = VERBS[params['state']].options
    return [name for name in sorted(ARGUMENTS) if name not in OURS + taken and is_given(params, name)]


def without_value(params: Params) -> List[str]:
    """What no word can be made of: nothing (a template's None), or a mapping."""
    return ['%s: %s has no value' % (option, name) if value is None else '%s: %s is a mapping' % (option, name)
            for option in ('settings', 'variables') for name, value in sorted((params[option] or {}).items())
            if value is None or isinstance(value, dict)]


def complaint(params: Params) -> Optional[str]:
    """What is wrong with the options, beyond what their types say."""
    strangers = misplaced(params)
    if strangers:
        return 'state=%s has no use for %s' % (params['state'], ', '.join(strangers))
    if params['state'] == 'applied' and not params['profile'] and not params['settings']:
        return 'state=applied needs at least one of profile and settings'
    return '; '.join(without_value(params)) or None


def command_words(params: Params, dry_run: bool) -> List[str]:
    """The words after the program's name."""
    verb = VERBS[params['state']]
    words = [verb.command, '--json']
    if dry_run and verb.dry_run:
        words.append('--dry-run')
    for name in verb.options:
        if params[name] is not None:
            words += WORDS[name](params[name])
    return words


def as_text(value: Any) -> str:
    return value_text(value) if value is not None else '(not known)'


def values_diff(settings: List[Document], side: str) -> str:
    return ''.join('%s = %s\n' % (setting['key'], as_text(setting[side])) for setting in settings)


def diffs(document: Document) -> List[Dict[str, str]]:
    """What --diff shows: the values, and the drop-in as the program compared it."""
    result = []
    settings = document.get('settings') or []
    if settings:
        result.append({
            'before_header': 'settings',
            'after_header': 'settings',
            'before': values_diff(settings, 'before'),
            'after': values_diff(settings, 'after'),
        })
    prepared = (document.get('drop_in') or {}).get('diff')
    if prepared:
        result.append({'prepared': prepared})
    return result


def said(stderr: str) -> str:
    """What the program said on stderr, in one line."""
    prefix = 'tcptune: '
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    return '; '.join(line[len(prefix):] if line.startswith(prefix) else line for line in lines)


def refusals(document: Document) -> str:
    return '; '.join('%s: %s' % (item['key'], item['reason']) if item['key'] else item['reason']
                     for item in document.get('refused') or [])


def conflict_text(conflict: Document) -> str:
    if not conflict['key']:
        return 'the drop-in: %s' % conflict['reason']
    return '%s is %s, tcptune wrote %s' % (conflict['key'], as_text(conflict['now']), as_text(conflict['ours']))


def failure_text(return_code: int, document: Document, stderr: str) -> str:
    """Why the task fails, in one line."""
    if return_code == 3 and document.get('refused'):
        return 'refused, nothing was changed: %s' % refusals(document)
    if return_code == 1 and document.get('conflicts'):
        return 'left alone, because they were changed since (force takes them back too): %s' % (
            '; '.join(conflict_text(conflict) for conflict in document['conflicts']))
    if return_code == 5:
        return '%s (the option wait waits for it)' % said(stderr)
    return said(stderr) or 'tcptune ended with exit code %d and said nothing' % return_code


def is_failure(params: Params, return_code: int, document: Document, check_mode: bool) -> bool:
    if return_code in VERBS[params['state']].fine:
        return False
    return not (check_mode and return_code == 1 and not document.get('conflicts'))


def is_document(document: Any, command: str) -> bool:
    """Is it what this module can read? A dry run of apply gives a plan."""
    return isinstance(document, dict) and document.get('schema') in (
        'tcptune.%s.v1' % command, 'tcptune.plan.v1' if command == 'apply' else None)


def namespace_inode(netns: Optional[str]) -> Optional[int]:
    """The network namespace that tcptune takes the word for, as the history numbers it."""
    path = netns or '/proc/self/ns/net'
    if netns and '/' not in netns:
        path = '/proc/%s/ns/net' % netns if netns.isdigit() else '/run/netns/%s' % netns
    try:
        return os.stat(path).st_ino
    except OSError:
        return None


def confirm_outlook(transactions: List[Document], wanted: Optional[int], inode: Optional[int],
                    now: str) -> Tuple[bool, Optional[str]]:
    """What confirm would come to: whether it changes anything, and why it would be refused."""
    here = [item for item in transactions if item['netns']['inode'] == inode]
    applies = [item for item in (here if wanted is None else transactions)
               if item['kind'] == 'apply' and wanted in (None, item['id'])]
    waiting = [item for item in applies if item['state'] == 'waiting' and item['deadline'] > now]
    interrupted = any(item['state'] == 'interrupted' for item in here)
    if waiting and waiting[0] not in here:
        return False, "transaction %d is another network namespace's" % waiting[0]['id']
    if waiting:
        return True, None
    if not applies:
        return interrupted, None if wanted is None else 'there is no apply %d' % wanted
    newest = applies[0]
    if newest['state'] != 'committed' and (wanted is not None or newest['deadline'] is not None):
        return False, 'transaction %d was not confirmed in time, or was taken back' % newest['id']
    return interrupted, None


class Run:
    """Runs tcptune for one task and ends the task."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        self.params: Params = module.params
        places = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin']
        self.program = module.get_bin_path(self.params['executable'], required=True, opt_dirs=places)
        self.result: Document = {'changed': False}

    def run(self, words: List[str]) -> Tuple[int, Document, str]:
        """Run the program; its document is empty where it gave none."""
        command = [self.program] + words
        return_code, stdout, stderr = self.module.run_command(command, use_unsafe_shell=False)
        self.result.update(rc=return_code, command=command)
        if not stdout.strip() and return_code != 0:
            return return_code, {}, stderr
        try:
            document = json.loads(stdout)
        except ValueError:
            document = None
        if not is_document(document, words[0]):
            self.module.fail_json(msg='%s gave no document that this module knows: is it tcptune, and as new as the '
                                  'module?' % self.program, stdout=stdout, stderr=stderr, **self.result)
        return return_code, document, stderr

    def take(self, document: Document) -> None:
        """The result that a document stands for."""
        self.result['changed'] = bool(document.get('changed', False))
        self.result.update((name, document[name]) for name in RESULTS if name in document)
        if document and self.params['state'] == 'applied':
            self.result.setdefault('waiting', None)
        if self.module._diff and self.params['state'] != 'checked':
            self.result['diff'] = diffs(document)

    def warn(self, document: Document) -> None:
        """What went well and is worth a word all the same."""
        for item in document.get('shadowed') or []:
            self.module.warn('%s: %s:%d overrides the drop-in at the next boot where %s applies the files'
                             % (item['key'], item['file'], item['line'], item['model']))
        for item in document.get('conflicts') or []:
            self.module.warn('%s: it was changed since, and is left alone' % conflict_text(item))
        first = 'that would be' if self.module.check_mode else 'it was'
        if document.get('recovered'):
            self.module.warn('transaction %d had been interrupted; %s put right first' % (document['recovered'], first))
        if document.get('expired'):
            self.module.warn('transaction %d was not confirmed in time; %s put back first'
                             % (document['expired'], first))

    def finish(self, return_code: int, document: Document, stderr: str) -> None:
        self.take(document)
        if is_failure(self.params, return_code, document, self.module.check_mode):
            self.result['changed'] = self.result['changed'] or return_code == 4
            self.fail(return_code, document, stderr)
        self.warn(document)
        self.succeed()

    def succeed(self) -> None:
        """End the task; Ansible takes an rc other than 0 for a failure unless it is told."""
        self.module.exit_json(failed=False, **self.result)

    def fail(self, return_code: int, document: Document, stderr: str) -> None:
        if not document:
            self.result['stderr'] = stderr
        self.module.fail_json(msg=failure_text(return_code, document, stderr), **self.result)

    def predict_confirm(self) -> None:
        """Check mode of confirm, which has no dry run: does the history have one that still waits?"""
        return_code, document, stderr = self.run(['history', '--json'])
        if return_code != 0:
            self.fail(return_code, document, stderr)
        utc = datetime.datetime.now(datetime.timezone.utc)
        now = utc.strftime('%Y-%m-%dT%H:%M:%SZ')  # as the deadline is written
        self.result['changed'], refusal = confirm_outlook(
            document['transactions'], self.params['transaction'], namespace_inode(self.params['netns']), now)
        if refusal:
            self.module.fail_json(msg=refusal, **self.result)
        self.succeed()

    def go(self) -> None:
        if self.params['state'] == 'confirmed' and self.module.check_mode:
            self.predict_confirm()
        self.finish(*self.run(command_words(self.params, self.module.check_mode)))


def main() -> None:
    module = AnsibleModule(
        argument_spec=ARGUMENTS,
        supports_check_mode=True,
        mutually_exclusive=[('netns', 'root'), ('confirm_within', 'root'), ('transaction', 'profile'),
                            ('transaction', 'settings')],
        required_if=[('state', 'applied', ('profile', 'settings'), True)],
    )
    wrong = complaint(module.params)
    if wrong:
        module.fail_json(msg=wrong)
    Run(module).go()


if __name__ == '__main__':
    main()
