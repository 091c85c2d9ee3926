#compdef portres
# SPDX-License-Identifier: MIT
# zsh completion for portres(1)

_portres() {
	# Not `commands`, which is the shell's own, and _normal's.
	local -a subcommands filter
	subcommands=(
		'run:run a command with ports that nobody can take'
		'list:what is reserved, and by whom'
		'who:who has a port'
		'persistent:blocks that outlive processes and reboots'
		'guard:reservations that no program of this machine can take'
		'doctor:what works here, what does not, and the way out'
	)
	filter=('--json[for programs]' '--tcp[TCP only]' '--udp[UDP only]' '--help[help]')

	if (( CURRENT == 2 )); then
		_describe -t commands command subcommands
		compadd -- --help --version
		return
	fi
	local subcommand=$words[2]
	shift words
	(( CURRENT-- ))
	case $subcommand in
	run)
		# A command of its own follows the options, or --.
		_arguments -A '-*' \
			'*--tcp[ports of TCP]:N or START+N: ' \
			'*--udp[ports of UDP]:N or START+N: ' \
			'*--both[the same ports of both]:N or START+N: ' \
			'--align[any ports begin at a multiple]:N: ' \
			'--ports-file[write the ports there]:file:_files' \
			'--wait[for busy ports]:seconds: ' \
			'--print[only show what would be run]' \
			'--help[help]' \
			'(-)1:command: _command_names -e' \
			'*::arguments:_normal'
		;;
	list) _arguments $filter ;;
	who) _arguments $filter '1:port, FIRST-LAST or START+N: ' ;;
	persistent)
		case $words[2] in
		add | delete)
			_arguments '--help[help]' '1:what:(add delete)' \
				'2:protocol:(tcp udp)' \
				'3:first port, 0 for any: ' '4:number of ports: '
			;;
		list) _arguments '--json[for programs]' '--help[help]' '1:what:(list)' ;;
		*) _arguments '--help[help]' '1:what:(add delete list reload)' ;;
		esac
		;;
	guard)
		filter=('--cgroup[instead of the root]:cgroup:_files -/')
		case $words[2] in
		on)
			filter+=('--area[ports that the system does not choose]:LOW-HIGH: '
				'--quota[ports of one user]:N: '
				'--again[no error where it is on]')
			;;
		off) filter+=('--force[though blocks live]') ;;
		status) filter+=('--json[for programs]') ;;
		esac
		_arguments $filter '--help[help]' '1:what:(on off status)'
		;;
	doctor) _arguments '--json[for programs]' '--help[help]' ;;
	esac
}

_portres "$@"
