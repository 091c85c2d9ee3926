# SPDX-License-Identifier: MIT
# bash completion for portres(1)

_portres() {
	local word=${COMP_WORDS[COMP_CWORD]} words=

	case $COMP_CWORD:${COMP_WORDS[1]} in
	1:*) words="run list who persistent doctor --help --version" ;;
	*:run) words="--tcp --udp --both --align --ports-file --wait --print --help" ;;
	*:list | *:who) words="--json --tcp --udp --help" ;;
	2:persistent) words="add delete list reload --help" ;;
	3:persistent)
		case ${COMP_WORDS[2]} in
		add | delete) words="tcp udp" ;;
		list) words="--json" ;;
		esac
		;;
	*:doctor) words="--help" ;;
	esac
	COMPREPLY=($(compgen -W "$words" -- "$word"))
}

complete -F _portres portres
