// Answers on TCP and UDP 8080 with where it was reached and from where: "10.244.1.2 from 10.244.1.3".
import { createServer } from 'node:net'
import { createSocket } from 'node:dgram'

const addresses = process.argv.slice(2)
createServer((socket) => {
  socket.on('error', () => {})
  socket.end(`${socket.localAddress} from ${socket.remoteAddress}`)
}).listen(8080, '0.0.0.0', () => console.log('ready'))
for (const address of addresses) {
  const udp = createSocket('udp4')
  udp.on('message', (_, from) => udp.send(`${address} from ${from.address}`, from.port, from.address)).bind(8080, address)
}
