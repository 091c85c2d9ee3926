# Reads hooks.def; writes the linker's version script, or with list=1 the names.
/^(HOOK|HOOK_ANY)\(/	{ split($0, part, /[(,] */); add(part[3]) }
/^(ALIAS|EXPORT)\(/	{ split($0, part, /[(,)] */); add(part[2]) }

function add(name) { names[++n] = name }

END {
	if (list) {
		for (i = 1; i <= n; i++)
			print names[i]
		exit
	}
	# Without a name: a versioned bind() would not stand in for the one that
	# programs ask for, which is bind@GLIBC_2.2.5.
	print "{\n\tglobal:"
	for (i = 1; i <= n; i++)
		print "\t\t" names[i] ";"
	print "\tlocal:\n\t\t*;\n};"
}
