# SPDX-License-Identifier: MIT
# fish completion for portres(1)

set -l commands run list who persistent guard doctor

# The words of the command that run is to become; nothing while there are only
# options.
function __portres_run_words
    set -l words (commandline -opc)
    test (count $words) -ge 2; and test "$words[2]" = run; or return 1
    set -l i 3
    while test $i -le (count $words)
        switch $words[$i]
            case --
                set i (math $i + 1)
                break
            case --tcp --udp --both --align --ports-file --wait
                set i (math $i + 2)
            case '-*'
                set i (math $i + 1)
            case '*'
                break
        end
    end
    test $i -le (math (count $words) + 1); or return 1
    test $i -le (count $words); and printf '%s\n' $words[$i..-1]
    return 0
end

function __portres_run_options
    set -l words (commandline -opc)
    test "$words[2]" = run; or return 1
    contains -- -- $words; and return 1
    test -z "$(__portres_run_words)"
end

# By the command's own completion.
function __portres_run_complete
    set -l words (__portres_run_words); or return
    set -l current (commandline -ct)
    # That is an option of run's.
    test (count $words) -eq 0; and string match -q -- '-*' $current; and return
    complete --do-complete=(string join ' ' -- (string escape -- $words) $current)
end

complete -c portres -f
complete -c portres -n "not __fish_seen_subcommand_from $commands" -a "$commands"
complete -c portres -n "not __fish_seen_subcommand_from $commands" -l help
complete -c portres -n "not __fish_seen_subcommand_from $commands" -l version
complete -c portres -n __portres_run_options -l tcp -x -d 'N, or START+N'
complete -c portres -n __portres_run_options -l udp -x -d 'N, or START+N'
complete -c portres -n __portres_run_options -l both -x -d 'the same ports of both'
complete -c portres -n __portres_run_options -l align -x -d 'begin at a multiple'
complete -c portres -n __portres_run_options -l ports-file -r -F -d 'write the ports there'
complete -c portres -n __portres_run_options -l wait -x -d seconds
complete -c portres -n __portres_run_options -l print -d 'only show what would be run'
complete -c portres -n __portres_run_options -l help
complete -c portres -n __portres_run_words -a '(__portres_run_complete)'
# `list` is a word of persistent's, too.
complete -c portres -n '__fish_seen_subcommand_from list who; and not __fish_seen_subcommand_from persistent' -l json -l tcp -l udp -l help
complete -c portres -n '__fish_seen_subcommand_from doctor' -l json -l help
complete -c portres -n '__fish_seen_subcommand_from persistent; and not __fish_seen_subcommand_from add delete list reload' -a 'add delete list reload'
complete -c portres -n '__fish_seen_subcommand_from add delete' -a 'tcp udp'
complete -c portres -n '__fish_seen_subcommand_from persistent guard' -l help
complete -c portres -n '__fish_seen_subcommand_from persistent; and __fish_seen_subcommand_from list' -l json
complete -c portres -n '__fish_seen_subcommand_from guard; and not __fish_seen_subcommand_from on off status' -a 'on off status'
complete -c portres -n '__fish_seen_subcommand_from guard' -l cgroup -r -F -d 'instead of the root'
complete -c portres -n '__fish_seen_subcommand_from guard; and __fish_seen_subcommand_from on' -l area -x -d 'LOW-HIGH, that the system does not choose'
complete -c portres -n '__fish_seen_subcommand_from guard; and __fish_seen_subcommand_from on' -l quota -x -d 'ports of one user'
complete -c portres -n '__fish_seen_subcommand_from guard; and __fish_seen_subcommand_from on' -l again -d 'no error where it is on'
complete -c portres -n '__fish_seen_subcommand_from guard; and __fish_seen_subcommand_from off' -l force -d 'though blocks live'
complete -c portres -n '__fish_seen_subcommand_from guard; and __fish_seen_subcommand_from status' -l json
