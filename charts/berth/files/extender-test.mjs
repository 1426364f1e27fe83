// Asks the extender as kube-scheduler would: over TLS, with the client certificate, about a pod and no nodes.
import fs from 'node:fs'
import https from 'node:https'

const [host, port] = process.argv.slice(-2)
const read = (name) => fs.readFileSync(`/etc/berth/client/${name}`)
const body = JSON.stringify({ Pod: { metadata: { name: 'helm-test', namespace: 'default', uid: 'helm-test' }, spec: { containers: [{ name: 'c', image: 'i' }] } }, NodeNames: [] })
const request = https.request({ host, port, path: '/scheduler/filter', method: 'POST', ca: read('ca.crt'), cert: read('tls.crt'), key: read('tls.key'), headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }, timeout: 10_000 }, (response) => {
  let text = ''
  response.setEncoding('utf8').on('data', (chunk) => { text += chunk })
  response.on('end', () => {
    console.log(response.statusCode, text)
    const answer = response.statusCode === 200 ? JSON.parse(text) : undefined
    process.exit(answer && !answer.Error ? 0 : 1)
  })
})
request.on('timeout', () => request.destroy(new Error('no answer in 10 s')))
request.on('error', (error) => {
  console.log(error.message)
  process.exit(1)
})
request.end(body)
