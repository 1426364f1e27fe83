import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, readlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { missing, testImage } from './support/containerd.ts'
import { eventually, type Harness, idle, isReady, sh, startHarness, statusOf } from './support/harness.ts'

const why = missing()
if (why) console.log(`skipped: the kubelet's suite on a real runtime ${why}`)

describe.skipIf(why)('a kubelet on a real CRI runtime', () => {
  let h: Harness
  beforeAll(async () => {
    h = await startHarness(await mkdtemp(join(tmpdir(), 'berth-kubelet-')))
  })
  afterAll(async () => h?.stop())

  const logOf = async (pod: string, container: string, n = 0): Promise<string> => {
    const uid = h.pod(pod)?.metadata.uid ?? ''
    return (await readFile(join(h.dir, 'logs', `default_${pod}_${uid}`, container, `${n}.log`), 'utf8').catch(() => '')).split('\n').map((l) => l.split(' ').slice(3).join(' ')).join('\n')
  }

  it.concurrent('runs init containers, volumes, environment and a readiness probe, and reports it all', async () => {
    h.api.put('/api/v1/namespaces/default/configmaps/web', { metadata: { name: 'web', namespace: 'default' }, data: { page: 'hello', MODE: 'fast' } })
    h.api.put('/api/v1/namespaces/default/secrets/web', { metadata: { name: 'web', namespace: 'default' }, data: { key: Buffer.from('s3cret').toString('base64') } })
    h.api.put('/api/v1/namespaces/default/services/redis', { metadata: { name: 'redis', namespace: 'default' }, spec: { clusterIP: '10.96.0.7', ports: [{ port: 6379, protocol: 'TCP' }] } })
    const volumeMounts = [{ name: 'data', mountPath: '/data' }, { name: 'cm', mountPath: '/cm' }, { name: 'all', mountPath: '/all' }, { name: 'data', mountPath: '/sub', subPath: 'deep/er' }]
    const resources = { requests: { cpu: '50m', memory: '16Mi' }, limits: { memory: '32Mi' } }
    h.create('web', {
      initContainers: [sh('first', 'echo one > /data/one', { volumeMounts, resources }), sh('second', 'test -f /data/one && echo two > /data/two', { volumeMounts, resources })],
      containers: [sh('web', 'echo "$POD_IP|$NAME|$MODE|$KEY|$REDIS_SERVICE_HOST:$REDIS_SERVICE_PORT|$MEM|$(JOIN)"; cat /data/two; cat /all/token; echo; cat /all/labels; echo; touch /sub/x; ls -ld /data/deep/er/x; cat /etc/hosts; exec httpd -f -p 80 -h /cm', {
        volumeMounts,
        env: [
          { name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }, { name: 'NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
          { name: 'KEY', valueFrom: { secretKeyRef: { name: 'web', key: 'key' } } }, { name: 'MEM', valueFrom: { resourceFieldRef: { resource: 'limits.memory', divisor: '1Mi' } } },
          { name: 'JOIN', value: '$(NAME)-$(KEY)' },
        ],
        envFrom: [{ configMapRef: { name: 'web' } }],
        resources,
        readinessProbe: { httpGet: { path: '/page', port: 'http' }, periodSeconds: 1 }, ports: [{ name: 'http', containerPort: 80 }],
        securityContext: { runAsUser: 0 },
      })],
      hostAliases: [{ ip: '10.1.2.3', hostnames: ['elsewhere'] }],
      volumes: [
        { name: 'data', emptyDir: {} }, { name: 'cm', configMap: { name: 'web' } },
        { name: 'all', projected: { sources: [{ serviceAccountToken: { path: 'token' } }, { secret: { name: 'web' } }, { downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } }] } },
      ],
    }, { labels: { app: 'web' } })
    const pod = await h.until('web', 'Ready', isReady)
    const log = await logOf('web', 'web')
    expect(log).toContain(`${pod.status?.podIP}|web|fast|s3cret|10.96.0.7:6379|32|`)
    expect(log).toContain('two\ntoken-for-default\napp="web"\n')
    expect(log).toContain('10.1.2.3\telsewhere')
    expect(log).toMatch(new RegExp(`${pod.status?.podIP}\\tweb`))
    expect(pod.status).toMatchObject({ phase: 'Running', qosClass: 'Burstable', hostIP: '10.250.77.1', observedGeneration: 1 })
    expect(pod.status?.conditions?.map((c) => `${c.type}=${c.status}`)).toEqual(expect.arrayContaining(['PodReadyToStartContainers=True', 'Initialized=True', 'Ready=True', 'ContainersReady=True', 'PodScheduled=True']))
    expect(pod.status?.initContainerStatuses?.map((s) => [s.name, s.state?.terminated?.reason, s.ready])).toEqual([['first', 'Completed', true], ['second', 'Completed', true]])
    expect(statusOf(pod, 'web')?.volumeMounts?.length).toBe(4)
    const cgroup = `/sys/fs/cgroup/memory/berth-kubelet-test/kubepods/burstable/pod${pod.metadata.uid}`
    if (existsSync('/sys/fs/cgroup/memory')) expect((await readFile(`${cgroup}/memory.limit_in_bytes`, 'utf8')).trim()).toBe(String(32 * 1024 * 1024))
    await h.remove('web')
    await eventually('nothing is left of the pod on the node', async () => !existsSync(cgroup) && !(await readdir(join(h.dir, 'root/pods'))).includes(pod.metadata.uid ?? ''))
    expect((await h.cri.listContainers({ filter: { labelSelector: { 'io.kubernetes.pod.uid': pod.metadata.uid ?? '' } } })).containers).toEqual([])
  })

  it.concurrent('restarts a container that fails, then backs off and says so', async () => {
    h.create('crash', { containers: [sh('c', 'echo run; exit 3')] })
    const pod = await h.until('crash', 'CrashLoopBackOff', (p) => statusOf(p, 'c')?.state?.waiting?.reason === 'CrashLoopBackOff')
    const status = statusOf(pod, 'c')
    expect(status?.state?.waiting?.message).toBe(`back-off 10s restarting failed container=c pod=crash_default(${pod.metadata.uid})`)
    expect(status?.lastState?.terminated).toMatchObject({ exitCode: 3, reason: 'Error' })
    expect(status?.restartCount).toBe(1)
    expect(h.events('crash').map((e) => e.reason)).toContain('BackOff')
    await h.remove('crash')
  })

  it.concurrent('ends a pod that never restarts, with its last words', async () => {
    h.create('once', { restartPolicy: 'Never', containers: [sh('good', 'echo -n well done > /dev/termination-log'), sh('bad', 'echo the reason; exit 7', { terminationMessagePolicy: 'FallbackToLogsOnError' })] })
    const pod = await h.until('once', 'Failed', (p) => p.status?.phase === 'Failed')
    expect(statusOf(pod, 'good')?.state?.terminated).toMatchObject({ exitCode: 0, reason: 'Completed', message: 'well done' })
    expect(statusOf(pod, 'bad')?.state?.terminated).toMatchObject({ exitCode: 7, reason: 'Error', message: 'the reason\n' })
    expect(pod.status?.conditions?.find((c) => c.type === 'Ready')).toMatchObject({ status: 'False', reason: 'PodFailed' })
    await h.remove('once')
  })

  it.concurrent('says why an image cannot be had, first as ErrImagePull and then as ImagePullBackOff', async () => {
    h.create('noimage', { containers: [{ name: 'c', image: 'localhost:1/no/such:1', imagePullPolicy: 'IfNotPresent' }] })
    await h.until('noimage', 'ErrImagePull', (p) => statusOf(p, 'c')?.state?.waiting?.reason === 'ErrImagePull')
    const pod = await h.until('noimage', 'ImagePullBackOff', (p) => statusOf(p, 'c')?.state?.waiting?.reason === 'ImagePullBackOff')
    expect(statusOf(pod, 'c')?.state?.waiting?.message).toMatch(/^Back-off pulling image "localhost:1\/no\/such:1": ErrImagePull: /)
    expect(pod.status?.phase).toBe('Pending')
    const reasons = h.events('noimage').map((e) => `${e.reason} ${e.message}`)
    expect(reasons).toEqual(expect.arrayContaining(['Pulling Pulling image "localhost:1/no/such:1"', 'Failed Error: ErrImagePull', 'BackOff Back-off pulling image "localhost:1/no/such:1"']))
    await h.remove('noimage')
  })

  it.concurrent('waits for a ConfigMap that is missing and goes on when it is there', async () => {
    h.create('late', { containers: [sh('c', `echo $X; ${idle}`, { env: [{ name: 'X', valueFrom: { configMapKeyRef: { name: 'late', key: 'x' } } }] })] })
    const waiting = await h.until('late', 'CreateContainerConfigError', (p) => statusOf(p, 'c')?.state?.waiting?.reason === 'CreateContainerConfigError')
    expect(statusOf(waiting, 'c')?.state?.waiting?.message).toBe('configmap "late" not found')
    h.api.put('/api/v1/namespaces/default/configmaps/late', { metadata: { name: 'late', namespace: 'default' }, data: { x: 'there now' } })
    await h.until('late', 'Ready', isReady)
    await eventually('the value is in the log', async () => (await logOf('late', 'c')).includes('there now'))
    await h.remove('late')
  })

  it.concurrent('refuses a volume type that it does not serve with an event, and keeps the pod waiting', async () => {
    h.create('claim', { containers: [sh('c', idle, { volumeMounts: [{ name: 'v', mountPath: '/v' }] })], volumes: [{ name: 'v', nfs: { server: 'nfs.example', path: '/' } }] })
    await eventually('the event says so', () => h.events('claim').some((e) => e.reason === 'FailedMount' && e.message === 'MountVolume.SetUp failed for volume "v" : volumes of type nfs are not served by this kubelet'))
    expect(h.pod('claim')?.status?.phase).toBe('Pending')
    await h.remove('claim')
  })

  it.concurrent('rejects pods that do not belong here, with the reason in their status', async () => {
    h.create('elsewhere', { nodeSelector: { disk: 'ssd' }, containers: [sh('c', idle)] })
    h.create('huge', { containers: [sh('c', idle, { resources: { requests: { cpu: '1000' } } })] })
    const elsewhere = await h.until('elsewhere', 'Failed', (p) => p.status?.phase === 'Failed')
    expect(elsewhere.status).toMatchObject({ reason: 'NodeAffinity', message: "Pod was rejected: Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector" })
    const huge = await h.until('huge', 'Failed', (p) => p.status?.phase === 'Failed')
    expect(huge.status?.reason).toBe('OutOfcpu')
    expect(huge.status?.message).toMatch(/^Pod was rejected: Node didn't have enough resource: cpu, requested: 1000000, used: \d+, capacity: \d+$/)
    await h.remove('elsewhere')
    await h.remove('huge')
  })

  it.concurrent('restarts a container whose liveness probe fails', async () => {
    h.create('sick', { containers: [sh('c', `touch /tmp/alive; (sleep 2; rm -f /tmp/alive) & ${idle}`, { livenessProbe: { exec: { command: ['cat', '/tmp/alive'] }, periodSeconds: 1, failureThreshold: 1 } })] })
    const pod = await h.until('sick', 'restarted', (p) => (statusOf(p, 'c')?.restartCount ?? 0) >= 1)
    expect(statusOf(pod, 'c')?.lastState?.terminated).toBeDefined()
    const events = h.events('sick').map((e) => `${e.reason} ${e.message}`)
    expect(events).toContain('Killing Container c failed liveness probe, will be restarted')
    expect(events.some((e) => e.startsWith('Unhealthy Liveness probe failed: cat: '))).toBe(true)
    await h.remove('sick')
  })

  it.concurrent('starts a sidecar before the others and stops it after them, with the preStop hook inside the grace period', async () => {
    const volumeMounts = [{ name: 'd', mountPath: '/d' }]
    h.create('ordered', {
      terminationGracePeriodSeconds: 10,
      initContainers: [sh('side', 'echo side-start >> /d/log; trap "echo side-stop >> /d/log; exit 0" TERM; while true; do sleep 1 & wait $!; done', { restartPolicy: 'Always', volumeMounts })],
      containers: [sh('main', 'echo main-start >> /d/log; trap "echo main-stop >> /d/log; exit 0" TERM; while true; do sleep 1 & wait $!; done', { volumeMounts, lifecycle: { preStop: { exec: { command: ['sh', '-c', 'sleep 1; echo pre-stop >> /d/log'] } } } })],
      volumes: [{ name: 'd', hostPath: { path: join(h.dir, 'ordered'), type: 'DirectoryOrCreate' } }],
    })
    await h.until('ordered', 'Ready', isReady)
    await h.remove('ordered', 10)
    expect((await readFile(join(h.dir, 'ordered/log'), 'utf8')).trim().split('\n')).toEqual(['side-start', 'main-start', 'pre-stop', 'main-stop', 'side-stop'])
  })

  it.concurrent('ends a pod at its deadline', async () => {
    h.create('slow', { activeDeadlineSeconds: 2, containers: [sh('c', idle)] })
    const pod = await h.until('slow', 'Failed', (p) => p.status?.phase === 'Failed')
    expect(pod.status).toMatchObject({ reason: 'DeadlineExceeded', message: 'Pod was active on the node longer than the specified deadline' })
    await h.remove('slow')
  })

  it.concurrent('keeps a container from running as root where the pod forbids it', async () => {
    h.create('nonroot', { securityContext: { runAsNonRoot: true }, containers: [sh('c', idle)] })
    const pod = await h.until('nonroot', 'CreateContainerConfigError', (p) => statusOf(p, 'c')?.state?.waiting?.reason === 'CreateContainerConfigError')
    expect(statusOf(pod, 'c')?.state?.waiting?.message).toBe(`container has runAsNonRoot and image will run as root (pod: "nonroot_default(${pod.metadata.uid})", container: c)`)
    await h.remove('nonroot')
  })

  it.concurrent('gives volumes to the fsGroup, keeps secrets in memory, and brings changes into running pods', async () => {
    h.api.put('/api/v1/namespaces/default/configmaps/live', { metadata: { name: 'live', namespace: 'default' }, data: { a: 'old' } })
    h.api.put('/api/v1/namespaces/default/secrets/quiet', { metadata: { name: 'quiet', namespace: 'default' }, data: { k: Buffer.from('v').toString('base64') } })
    const volumeMounts = [{ name: 'e', mountPath: '/e' }, { name: 's', mountPath: '/s' }, { name: 'c', mountPath: '/c' }]
    h.create('groups', {
      securityContext: { fsGroup: 2000, runAsUser: 1000, runAsGroup: 1000 },
      containers: [sh('c', `echo $(id -u) $(id -g) $(id -G); touch /e/mine && stat -c '%a %g' /e; cat /s/k; echo; stat -Lc '%a %g' /s/k; grep -c ' /s tmpfs ' /proc/mounts; ${idle}`, { volumeMounts })],
      volumes: [{ name: 'e', emptyDir: {} }, { name: 's', secret: { secretName: 'quiet', defaultMode: 0o400 } }, { name: 'c', configMap: { name: 'live' } }],
    })
    const pod = await h.until('groups', 'Ready', isReady)
    await eventually('the log is there', async () => (await logOf('groups', 'c')).split('\n').length > 5)
    expect((await logOf('groups', 'c')).split('\n').slice(0, 5)).toEqual(['1000 1000 1000 2000', '2777 2000', 'v', '440 2000', '1'])
    const file = join(h.dir, 'root/pods', pod.metadata.uid ?? '', 'volumes/kubernetes.io~configmap/c/a')
    expect(await readFile(file, 'utf8')).toBe('old')
    h.api.put('/api/v1/namespaces/default/configmaps/live', { metadata: { name: 'live', namespace: 'default' }, data: { a: 'new' } })
    await eventually('the file has changed', async () => (await readFile(file, 'utf8')) === 'new')
    await h.remove('groups')
  })

  it.concurrent('runs a pod in the host\'s network, with the node\'s address and the host\'s names', async () => {
    h.create('host', { hostNetwork: true, hostPID: true, hostAliases: [{ ip: '10.9.9.9', hostnames: ['other'] }], containers: [sh('c', `readlink /proc/self/ns/net; cat /etc/hosts; ${idle}`)] })
    const pod = await h.until('host', 'Ready', isReady)
    expect(pod.status).toMatchObject({ podIP: '10.250.77.1', hostIP: '10.250.77.1', podIPs: [{ ip: '10.250.77.1' }] })
    await eventually('the log is there', async () => (await logOf('host', 'c')).includes('10.9.9.9\tother'))
    expect((await logOf('host', 'c')).split('\n')[0]).toBe(await readlink('/proc/self/ns/net'))
    await h.remove('host')
  })

  it.concurrent('says that a container could not be started, and tries again', async () => {
    // The image has no such program: every start fails, and the instance stays behind.
    h.create('nostart', { containers: [{ name: 'c', image: testImage, command: ['/no/such/program'] }] })
    const pod = await h.until('nostart', 'RunContainerError', (p) => ['RunContainerError', 'CrashLoopBackOff'].includes(statusOf(p, 'c')?.state?.waiting?.reason ?? ''))
    expect(h.events('nostart').some((e) => e.reason === 'Failed' && e.message?.startsWith('Error: '))).toBe(true)
    expect(pod.status?.phase).not.toBe('Failed')
    await h.remove('nostart')
  })

  it.concurrent('uses an image that is there and writes upstream\'s events', async () => {
    h.create('events', { containers: [sh('c', idle)] })
    await h.until('events', 'Ready', isReady)
    await eventually('the events are written', () => h.events('events').length >= 3)
    expect(h.events('events').map((e) => [e.type, e.reason, e.message, e.involvedObject.fieldPath])).toEqual([
      ['Normal', 'Pulled', `Container image "${testImage}" already present on machine and can be accessed by the pod`, 'spec.containers{c}'],
      ['Normal', 'Created', 'Container created', 'spec.containers{c}'],
      ['Normal', 'Started', 'Container started', 'spec.containers{c}'],
    ])
    await h.remove('events')
  })
})
