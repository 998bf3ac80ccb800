// SPDX-License-Identifier: Apache-2.0
#include "proxy/inert_filter.h"

#include <asm/ioctls.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace crivet::proxy {
namespace {

#if defined(__x86_64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#else
#error "the list of system calls has not been looked through for this architecture"
#endif

constexpr std::uint32_t kAllow = SECCOMP_RET_ALLOW;
constexpr std::uint32_t kRefuse = SECCOMP_RET_ERRNO | EPERM;
// "This kernel does not have it": libraries then fall back to the call that can be looked into.
constexpr std::uint32_t kUnknown = SECCOMP_RET_ERRNO | ENOSYS;

// Calls that only read, compute, or concern the process itself.
constexpr int kHarmless[] = {
    SYS_read,
    SYS_pread64,
    SYS_readv,
    SYS_write,
    SYS_writev,
    SYS_close,
    SYS_lseek,
    SYS_fstat,
    SYS_newfstatat,
    SYS_statx,
    SYS_statfs,
    SYS_fstatfs,
    SYS_faccessat,
    SYS_readlinkat,
    SYS_getdents64,
    SYS_getcwd,
    SYS_mmap,
    SYS_munmap,
    SYS_mprotect,
    SYS_mremap,
    SYS_madvise,
    SYS_mincore,
    SYS_brk,
    SYS_futex,
    SYS_sched_yield,
    SYS_sched_getaffinity,
    SYS_nanosleep,
    SYS_clock_nanosleep,
    SYS_clock_gettime,
    SYS_clock_getres,
    SYS_gettimeofday,
    SYS_rt_sigaction,
    SYS_rt_sigprocmask,
    SYS_rt_sigreturn,
    SYS_sigaltstack,
    SYS_restart_syscall,
    SYS_timer_create,
    SYS_timer_settime,
    SYS_timer_delete,
    SYS_setitimer,
    SYS_getpid,
    SYS_getppid,
    SYS_gettid,
    SYS_getuid,
    SYS_geteuid,
    SYS_getgid,
    SYS_getegid,
    SYS_getgroups,
    SYS_capget,
    SYS_getrandom,
    SYS_uname,
    SYS_sysinfo,
    SYS_getrlimit,
    SYS_getrusage,
    SYS_epoll_create1,
    SYS_epoll_ctl,
    SYS_epoll_pwait,
    SYS_eventfd2,
    SYS_pipe2,
    SYS_dup,
    SYS_ppoll,
    SYS_pselect6,
    SYS_membarrier,
    SYS_rseq,
    SYS_set_tid_address,
    SYS_set_robust_list,
    SYS_exit,
    SYS_exit_group,
    // Once, for the program itself; it stays inert, whatever it executes.
    SYS_execve,
#if defined(__x86_64__)
    SYS_stat,
    SYS_lstat,
    SYS_access,
    SYS_readlink,
    SYS_poll,
    SYS_select,
    SYS_epoll_create,
    SYS_epoll_wait,
    SYS_arch_prctl,
    SYS_time,
    SYS_pipe,
    SYS_dup2,
#endif
    SYS_dup3,
#ifdef SYS_faccessat2
    SYS_faccessat2,
#endif
#ifdef SYS_epoll_pwait2
    SYS_epoll_pwait2,
#endif
};

// Stands for the process's own number until it is known; no process has it (the most is 2^22).
constexpr std::uint32_t kSelf = 0x7fff'ffff;

constexpr std::uint32_t ArgumentAt(unsigned index) {
  // The low half: on both architectures the first in memory.
  return static_cast<std::uint32_t>(offsetof(seccomp_data, args) + index * sizeof(std::uint64_t));
}

class Program {
 public:
  void Load(std::uint32_t offset) { Add(BPF_LD | BPF_W | BPF_ABS, offset, 0, 0); }
  void Return(std::uint32_t verdict) { Add(BPF_RET | BPF_K, verdict, 0, 0); }
  // Goes over the next instruction where the value differs.
  void IfEqual(std::uint32_t value) { Add(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1); }

  void RefuseUnless(std::uint32_t value) {
    Add(BPF_JMP | BPF_JEQ | BPF_K, value, 1, 0);
    Return(kRefuse);
  }

  void Rule(int call, std::uint32_t verdict) {
    IfEqual(static_cast<std::uint32_t>(call));
    Return(verdict);
  }

  // Allowed where one of `values` is the argument.
  void RuleOfValues(int call, unsigned argument, const std::vector<std::uint32_t>& values) {
    Begin(call, static_cast<std::uint8_t>(2 + 2 * values.size()));
    Load(ArgumentAt(argument));
    for (const std::uint32_t value : values) {
      IfEqual(value);
      Return(kAllow);
    }
    Return(kRefuse);
  }

  // Allowed where the argument's bits under `mask` are `expected`.
  void RuleOfBits(int call, unsigned argument, std::uint32_t mask, std::uint32_t expected) {
    Begin(call, 5);
    Load(ArgumentAt(argument));
    Add(BPF_ALU | BPF_AND | BPF_K, mask, 0, 0);
    IfEqual(expected);
    Return(kAllow);
    Return(kRefuse);
  }

  std::vector<sock_filter> Take() { return std::move(code_); }

 private:
  // The rest of a rule, `length` instructions that always return, is for this call alone.
  void Begin(int call, std::uint8_t length) {
    Add(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(call), 0, length);
  }
  void Add(int code, std::uint32_t k, std::uint8_t jump_true, std::uint8_t jump_false) {
    code_.push_back({static_cast<std::uint16_t>(code), jump_true, jump_false, k});
  }

  std::vector<sock_filter> code_;
};

}  // namespace

std::vector<sock_filter> InertFilter() {
  Program program;
  program.Load(offsetof(seccomp_data, arch));
  program.RefuseUnless(kArchitecture);
  program.Load(offsetof(seccomp_data, nr));
  for (const int call : kHarmless) program.Rule(call, kAllow);

  constexpr std::uint32_t kWriting = O_ACCMODE | O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY);
  program.RuleOfBits(SYS_openat, 2, kWriting, O_RDONLY);
#if defined(__x86_64__)
  program.RuleOfBits(SYS_open, 1, kWriting, O_RDONLY);
#endif
  program.RuleOfBits(SYS_clone, 0, CLONE_THREAD, CLONE_THREAD);
  program.Rule(SYS_clone3, kUnknown);
  program.RuleOfValues(SYS_fcntl, 1,
                       {F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD, F_DUPFD_CLOEXEC});
  program.RuleOfValues(SYS_ioctl, 1, {TCGETS});
  program.RuleOfValues(SYS_prctl, 0, {PR_SET_NAME, PR_SET_VMA});
  program.RuleOfValues(SYS_tgkill, 0, {kSelf});
  program.RuleOfValues(SYS_prlimit64, 0, {0, kSelf});
  program.Return(kRefuse);
  return program.Take();
}

bool BecomeInert(std::vector<sock_filter>& filter) {
  const auto self = static_cast<std::uint32_t>(getpid());
  for (sock_filter& instruction : filter) {
    if (instruction.k == kSelf) instruction.k = self;
  }
  const sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

}  // namespace crivet::proxy
