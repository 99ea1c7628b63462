# Keeps the host as node['tcptune'] asks for; see README.md. `tcptune check` is the guard: a host that conforms is left
# alone, what is refused fails the run with the reason.
require 'shellwords'

wanted = node['tcptune']
if wanted['profiles'].empty? && wanted['settings'].empty?
  raise "tcptune: node['tcptune']['profiles'] or ['settings'] is needed"
end

# What check and apply both take.
both = wanted['profiles'].map { |profile| "--profile=#{profile}" }
both += wanted['variables'].map { |name, value| "--var=#{name}=#{value}" }
both += wanted['settings'].map { |key, value| "--set=#{key}=#{Array(value).join(' ')}" }
both << "--boot=#{wanted['boot']}" if wanted['boot']
both << "--netns=#{wanted['netns']}" if wanted['netns']

# What only apply knows.
more = []
more << (wanted['persist'] ? '--persist' : '--no-persist') unless wanted['persist'].nil?
more << '--allow-shadowed' if wanted['allow_shadowed']
more << '--modules-load' if wanted['modules_load']

rest = ["--wait=#{wanted['wait']}"]
rest << "--reason=#{wanted['reason']}" if wanted['reason']

guard = more.empty? ? %w[check --quiet] : %w[apply --dry-run --quiet]

execute 'tcptune apply' do
  command Shellwords.join([wanted['executable'], 'apply'] + both + more + rest)
  not_if Shellwords.join([wanted['executable']] + guard + both + more)
end
