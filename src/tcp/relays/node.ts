/**
 * The relay in Node. It does what the one in Perl does, but one that is killed ends the connection without a reset.
 *
 * Standard output is asynchronous, and `process.exit()` drops what is queued: it waits for a last write.
 */
export const NODE = String.raw`let[,h,p,c]=process.argv,i=Buffer.alloc(0),f={},n=0,t=0,u=0,v=0,z,x
const tell=m=>process.stderr.write(m+'\n'),done=()=>z&&x&&exit(0)
const exit=k=>process.stdout.write('',()=>process.exit(k))
const passed=l=>{u++;v+=l;if(x||u>7||v>262143){tell(Array(u).fill('.').join('\n'));u=v=0}}
const s=net.connect({host:h,port:p,allowHalfOpen:true})
s.setNoDelay().on('connect',()=>tell('o')).on('data',b=>{t+=b.length;c-=b.length;process.stdout.write(b);c>0||s.pause()})
.on('end',()=>{z=1;tell(t+' bytes');done()})
.on('error',e=>{tell('!'+(util.getSystemErrorMap().get(e.errno)||[0,e.message])[1]);exit(1)})
process.stdin.on('end',()=>{x||s.resetAndDestroy();process.exit(1)}).on('data',b=>{
i=Buffer.concat([i,b])
for(let a,q,l;(a=i.indexOf(10)+1)&&([q,l=0]=i.toString('latin1',0,a).split(' '),i.length>=(l=a+ +l));i=i.subarray(l))
if(i[0]==43){c=+c+ +q;c>0&&s.resume()}else f[q]=i.subarray(a,l)
for(let w;w=f[n];delete f[n++])
if(w.length)s.write(w,e=>e||passed(w.length));else s.end(()=>{x=1;passed(0);done()})})`;
