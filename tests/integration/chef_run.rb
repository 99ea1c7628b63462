# A stand-in for chef-client: evaluates attributes and a recipe of execute resources with not_if, as strings for a shell.
#
# usage: chef_run.rb COOKBOOK ATTRIBUTES.json [why-run]; prints each resource with what became of it; exit 1 if one fails.
require 'json'
require 'open3'

# The attributes of a node, as attributes/default.rb and recipes see them.
class Node
  def initialize(given)
    @given = given
    @tree = Hash.new { |tree, name| tree[name] = {} }
  end

  def default
    @tree
  end

  def [](name)
    @tree[name].merge(@given.fetch(name, {}))
  end
end

# An execute resource; its block sets command and not_if.
class Execute
  def initialize(name, why_run)
    @name = name
    @why_run = why_run
  end

  def command(text)
    @command = text
  end

  def not_if(text)
    @not_if = text
  end

  def run
    return 'skipped' if Open3.capture2e('/bin/sh', '-c', @not_if)[1].success?
    return 'would run' if @why_run

    output, status = Open3.capture2e('/bin/sh', '-c', @command)
    print output
    status.success? ? 'executed' : 'failed'
  end
end

# What a recipe can say.
class Recipe
  attr_reader :node, :failed

  def initialize(node, why_run)
    @node = node
    @why_run = why_run
    @failed = false
  end

  def default
    node.default
  end

  def execute(name, &block)
    resource = Execute.new(name, @why_run)
    resource.instance_eval(&block)
    what = resource.run
    puts "execute[#{name}]: #{what}"
    @failed ||= what == 'failed'
  end
end

cookbook, attributes, mode = ARGV
recipe = Recipe.new(Node.new(JSON.parse(File.read(attributes))), mode == 'why-run')
%w[attributes/default.rb recipes/default.rb].each do |file|
  path = File.join(cookbook, file)
  recipe.instance_eval(File.read(path), path)
end
exit recipe.failed ? 1 : 0
