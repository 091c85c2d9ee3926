// SPDX-License-Identifier: MIT

// Asks the guard for five ports, and says what it answers.
package main

import (
	"fmt"
	"syscall"
)

func main() {
	fd, _ := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	request := make([]byte, 40)
	request[0], request[20], request[21], request[22] = 7, 19, 136, 5
	fmt.Println(syscall.SetsockoptString(fd, 0x5052, 1, string(request)))
}
