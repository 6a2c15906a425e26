/** Whether a process is there: who holds a lock, or was writing a file, may be gone. */

/** Whether a process of this machine has the id, whoever it belongs to. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM"; // it runs, as somebody else; numbers no process has fail otherwise
  }
}
