{#- Keeps the host as pillar['tcptune'] asks for; see README.md. `tcptune check` is the guard: a host that conforms is
    left alone, what is refused fails the state with the reason. -#}
{%- set wanted = pillar.get('tcptune', {}) -%}
{%- set program = wanted.get('executable', '/usr/bin/tcptune') -%}

{#- One word of a shell's command line. -#}
{%- macro word(text) -%}
'{{ text | string | replace("'", "'\\''") }}'
{%- endmacro -%}

{%- macro words(options) -%}
{%- for option in options %} {{ word(option) }}{% endfor -%}
{%- endmacro -%}

{#- What check and apply both take. -#}
{%- set both = [] -%}
{%- for profile in wanted.get('profiles', []) %}{% do both.append('--profile=' ~ profile) %}{% endfor -%}
{%- for name, value in wanted.get('variables', {}) | dictsort %}
{%- do both.append('--var=' ~ name ~ '=' ~ (value | lower if value is boolean else value)) %}{% endfor -%}
{%- for key, value in wanted.get('settings', {}) | dictsort %}
{%- do both.append('--set=' ~ key ~ '=' ~ (value | join(' ') if value is sequence and value is not string else value)) %}
{%- endfor -%}
{%- for name in ['boot', 'netns'] if wanted.get(name) %}{% do both.append('--' ~ name ~ '=' ~ wanted[name]) %}{% endfor -%}

{#- What only apply knows. -#}
{%- set more = [] -%}
{%- if wanted.get('persist') is boolean %}
{%- do more.append('--persist' if wanted.persist else '--no-persist') %}{% endif -%}
{%- if wanted.get('allow_shadowed') %}{% do more.append('--allow-shadowed') %}{% endif -%}
{%- if wanted.get('modules_load') %}{% do more.append('--modules-load') %}{% endif -%}

{%- set rest = ['--wait=' ~ wanted.get('wait', 30)] -%}
{%- if wanted.get('reason') %}{% do rest.append('--reason=' ~ wanted.reason) %}{% endif -%}

{%- set guard = ['apply', '--dry-run', '--quiet'] if more else ['check', '--quiet'] -%}

tcptune apply:
  cmd.run:
    - name: {{ words([program, 'apply'] + both + more + rest) | trim | tojson }}
    - unless: {{ words([program] + guard + both + more) | trim | tojson }}
