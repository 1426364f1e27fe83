import crypto from 'node:crypto'
import path from 'node:path'

/** Where one instance of Berth keeps its things. All paths follow from the data directory. */
export interface Layout {
  readonly dataDir: string
  /** Sockets, pid files and what need not survive a reboot. */
  readonly runDir: string
  /** Short and unique on the machine: names namespaces, links and tables. */
  readonly name: string
  readonly instanceFile: string
  /** Names the machine's own network namespace for those that have left it. */
  readonly hostNetns: string
  readonly logsDir: string
  readonly processTable: string
  readonly processState: string
  readonly supervisorSocket: string
  readonly engine: EngineLayout
  readonly server: ServerLayout
  readonly kubeconfig: string
  node(name: string): NodeLayout
}

export interface EngineLayout {
  readonly containerdConfig: string
  readonly containerdRoot: string
  readonly containerdState: string
  readonly containerdSocket: string
  readonly dockerdConfig: string
  readonly dockerRoot: string
  readonly dockerExecRoot: string
  readonly dockerPidFile: string
  readonly dockerSocket: string
  /** Where containers go that name no parent of their own. */
  readonly cgroupParent: string
}

export interface ServerLayout {
  readonly dataDir: string
  readonly certDir: string
}

export interface NodeLayout {
  readonly rootDir: string
  readonly kubeletDir: string
  readonly podLogsDir: string
  readonly containerLogsDir: string
  readonly criDir: string
  readonly criSocket: string
  readonly cniConfDir: string
  readonly cniBinDir: string
  readonly overlayDir: string
  readonly overlaySocket: string
  readonly resolvConf: string
  /** The volumes of claims of the class local-path. */
  readonly storageDir: string
}

export const defaultDataDir = '/var/lib/berth'

/**
 * The layout of the instance that keeps its data in `dataDir` (made absolute). The default directory gives the plain
 * name `berth`; any other one a name with a hash of the path, so that several instances live on one machine.
 */
export function layoutOf(dataDir: string): Layout {
  const absolute = path.resolve(dataDir)
  const name = absolute === defaultDataDir ? 'berth' : `berth-${crypto.createHash('sha256').update(absolute).digest('hex').slice(0, 6)}`
  const runDir = path.join('/run', name)
  const engineDir = path.join(absolute, 'engine')
  const serverDir = path.join(absolute, 'server')
  return {
    dataDir: absolute,
    runDir,
    name,
    hostNetns: path.join(runDir, 'host.netns'),
    instanceFile: path.join(absolute, 'instance.json'),
    logsDir: path.join(absolute, 'logs'),
    processTable: path.join(runDir, 'processes'),
    processState: path.join(runDir, 'processes.state'),
    supervisorSocket: path.join(runDir, 'supervisor.sock'),
    engine: {
      containerdConfig: path.join(engineDir, 'containerd.toml'),
      containerdRoot: path.join(engineDir, 'containerd'),
      containerdState: path.join(runDir, 'containerd'),
      containerdSocket: path.join(runDir, 'containerd.sock'),
      dockerdConfig: path.join(engineDir, 'daemon.json'),
      dockerRoot: path.join(engineDir, 'docker'),
      dockerExecRoot: path.join(runDir, 'docker'),
      dockerPidFile: path.join(runDir, 'docker.pid'),
      dockerSocket: path.join(runDir, 'docker.sock'),
      cgroupParent: `/${name}/engine`,
    },
    server: { dataDir: serverDir, certDir: path.join(serverDir, 'pki') },
    kubeconfig: path.join(absolute, 'kubeconfig'),
    node(node) {
      const rootDir = path.join(absolute, 'nodes', node)
      const sockets = path.join(runDir, 'nodes', node)
      return {
        rootDir,
        kubeletDir: path.join(rootDir, 'kubelet'),
        podLogsDir: path.join(rootDir, 'log/pods'),
        containerLogsDir: path.join(rootDir, 'log/containers'),
        criDir: path.join(rootDir, 'cri'),
        criSocket: path.join(sockets, 'cri.sock'),
        cniConfDir: path.join(rootDir, 'cni/net.d'),
        cniBinDir: path.join(rootDir, 'cni/bin'),
        overlayDir: path.join(rootDir, 'cni/state'),
        overlaySocket: path.join(sockets, 'cni.sock'),
        resolvConf: path.join(rootDir, 'resolv.conf'),
        storageDir: path.join(rootDir, 'storage'),
      }
    },
  }
}
