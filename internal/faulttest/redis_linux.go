package faulttest

import "syscall"

// endWithParent has the kernel kill the server when the thread that started it ends
// (prctl(2), PR_SET_PDEATHSIG).
func endWithParent(attributes *syscall.SysProcAttr) { attributes.Pdeathsig = syscall.SIGKILL }
