name             'tcptune'
maintainer       'tcptune contributors'
license          'MIT'
description      "Tunes a Linux host's TCP with tcptune, so that nothing is lost"
version          '0.1.0'
chef_version     '>= 14.0'
supports         'debian'
supports         'ubuntu'
supports         'redhat'
