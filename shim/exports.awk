# Reads hooks.def; writes the linker's version script, or with list=1 the names
# as they are exported.
/^(HOOK|HOOK_ANY)\(/	{ split($0, part, /[(,] */); libcs(part[3]) }
/^ALIAS\(/		{ split($0, part, /[(,] */); libcs(part[2]) }
/^EXPORT\(/		{ split($0, part, /[(,)] */); ours(part[2], part[3]) }

function libcs(name) { names[++n] = name }

function ours(name, node)
{
	names[++n] = name "@@" node
	if (!(node in in_node))
		nodes[++k] = node
	in_node[node] = in_node[node] "\n\t\t" name ";"
}

END {
	if (list) {
		for (i = 1; i <= n; i++)
			print names[i]
		exit
	}
	# Our names alone. One that is in no node has no version and is exported if
	# its definition says so: those of libc's, because a versioned bind() would
	# not stand in for the one that programs ask for, which is bind@GLIBC_2.2.5.
	# musl's start files export two more.
	for (i = 1; i <= k; i++)
		printf "%s {\n\tglobal:%s%s\n}%s;\n", nodes[i], in_node[nodes[i]],
			(i == 1 ? "\n\tlocal:\n\t\t_init;\n\t\t_fini;" : ""),
			(i == 1 ? "" : " " nodes[i - 1])
}
