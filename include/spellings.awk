# Names of headers have no case on Windows. Prints "spelling header" for each way
# of writing one that programs use: every word of its name small, with a capital
# or in capitals. A list of headers is read, with a '+' between the words.

function spell(made, at,    word) {
	if (at > n) {
		print made ".h", header
		if (made == toupper(made))
			print made ".H", header
		return
	}
	word = words[at]
	spell(made word, at + 1)
	if (toupper(word) == word)
		return
	spell(made toupper(word), at + 1)
	if (length(word) > 1)
		spell(made toupper(substr(word, 1, 1)) substr(word, 2), at + 1)
}

/^[<a-z]/ {
	header = name = $1
	gsub(/[<>]/, "", name)
	n = split(name, words, "+")
	gsub(/\+/, "", header)
	if (!sub(/>/, ".h>", header))
		header = "\"" header ".h\""
	spell("", 1)
}
