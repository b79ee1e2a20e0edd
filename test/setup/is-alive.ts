/** Is there a process of this pid (a zombie that nobody has waited for is one too)? */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
