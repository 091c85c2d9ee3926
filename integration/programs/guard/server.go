// SPDX-License-Identifier: MIT

// A static server: listens, says so, and answers one connection. With a second
// argument it does that in a child that it executes.
package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"syscall"
)

func main() {
	if len(os.Args) > 2 {
		child := exec.Command(os.Args[0], os.Args[1])
		child.Stdin, child.Stdout = os.Stdin, os.Stdout
		// Go marks what it has inherited close-on-exec? No: what is inherited
		// at the same number is given on by hand.
		for fd := 3; fd < 1024; fd++ {
			syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_SETFD, 0)
		}
		if err := child.Run(); err != nil {
			fmt.Println(err)
		}
		return
	}
	listener, err := net.Listen("tcp", os.Args[1])
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("listens", listener.Addr().(*net.TCPAddr).Port)
	os.Stdin.Read(make([]byte, 1))
}
