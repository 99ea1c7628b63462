# @summary The one tcptune::apply of a host, from Hiera.
#
# @example in Hiera
#   tcptune::profiles: [highconn]
#   tcptune::reason: CHG-1234
#
# @param profiles See tcptune::apply, as for all others.
# @param settings Single settings, value by key.
# @param variables Variables of the profiles.
# @param reason Why.
# @param options Any further parameters of tcptune::apply.
class tcptune (
  Array[String[1]]     $profiles  = [],
  Hash                 $settings  = {},
  Hash                 $variables = {},
  Optional[String[1]]  $reason    = undef,
  Hash[String[1], Any] $options   = {},
) {
  tcptune::apply { 'host':
    profiles  => $profiles,
    settings  => $settings,
    variables => $variables,
    reason    => $reason,
    *         => $options,
  }
}
