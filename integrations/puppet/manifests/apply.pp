# @summary Keeps the host as profiles and single settings ask for, with tcptune.
#
# `tcptune check` is the guard: a host that conforms is left alone, and so is every host with --noop. What is refused
# fails the resource, with tcptune's reason; everything is then as it was before.
#
# All that a host shall have belongs into one resource: a second one with other profiles would take the first one's
# values back.
#
# @example
#   tcptune::apply { 'web':
#     profiles => ['highconn'],
#     settings => { 'net.ipv4.tcp_rmem' => '4096 131072 16777216' },
#     reason   => 'CHG-1234',
#   }
#
# @param profiles Names of profiles; a name with a / is a file on the host.
# @param settings Single settings, value by key, as for `tcptune apply --set`.
# @param variables Variables of the profiles, by name.
# @param reason Why, for the history and the drop-in's comment. It never makes a change by itself.
# @param persist true writes the drop-in even outside the initial network namespace, false changes live values only.
# @param boot Which program applies sysctl files at boot, instead of finding out.
# @param allow_shadowed Go on although another file overrides the drop-in at the next boot.
# @param modules_load Write /etc/modules-load.d/tcptune.conf as well.
# @param netns The network namespace to work in: a name, a process id or a path.
# @param exact Let `tcptune apply --dry-run` be the guard, which sees keys that only former profiles set. It is in any
#   case where persist, allow_shadowed or modules_load is given: check hasn't these options.
# @param wait Seconds to wait for another tcptune that is at work.
# @param executable The program.
define tcptune::apply (
  Array[String[1]]                                                $profiles       = [],
  Hash[Pattern[/\A[a-z][^=\s]*\z/], Variant[Integer, String[1]]]  $settings       = {},
  Hash[Pattern[/\A[a-z]\w*\z/], Variant[Numeric, Boolean, String[1]]] $variables  = {},
  Optional[String[1]]                                             $reason         = undef,
  Optional[Boolean]                                               $persist        = undef,
  Optional[Enum['systemd', 'procps', 'both']]                     $boot           = undef,
  Boolean                                                         $allow_shadowed = false,
  Boolean                                                         $modules_load   = false,
  Optional[String[1]]                                             $netns          = undef,
  Boolean                                                         $exact          = false,
  Integer[0]                                                      $wait           = 30,
  Pattern[/\A\//]                                                 $executable     = '/usr/bin/tcptune',
) {
  if $profiles.empty and $settings.empty {
    fail("tcptune::apply '${title}': profiles or settings are needed")
  }

  $boot_words = $boot ? { undef => [], default => ["--boot=${boot}"] }
  $netns_words = $netns ? { undef => [], default => ["--netns=${netns}"] }
  $both = $profiles.map |$profile| { "--profile=${profile}" }
  + $variables.map |$name, $value| { "--var=${name}=${value}" }
  + $settings.map |$key, $value| { "--set=${key}=${value}" }
  + $boot_words
  + $netns_words

  # What only apply knows, and what decides about what there is to do.
  $persist_words = $persist ? { undef => [], true => ['--persist'], false => ['--no-persist'] }
  $shadowed_words = $allow_shadowed ? { true => ['--allow-shadowed'], false => [] }
  $modules_words = $modules_load ? { true => ['--modules-load'], false => [] }
  $more = $persist_words + $shadowed_words + $modules_words

  $reason_words = $reason ? { undef => [], default => ["--reason=${reason}"] }
  $guard = ($more.empty and !$exact) ? { true => ['check'], false => ['apply', '--dry-run'] }

  # Lists of words, so that no shell sees them.
  exec { "tcptune apply ${title}":
    command   => [$executable, 'apply', "--wait=${wait}"] + $both + $more + $reason_words,
    unless    => [[$executable] + $guard + ['--quiet'] + $both + $more],
    logoutput => 'on_failure',
    timeout   => $wait + 60,
  }
}
