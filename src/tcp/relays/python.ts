/** The relay in Python 3. It does what the one in Perl does. */
export const PYTHON = String.raw`import os,select,socket as k,struct,sys
h,p,c=sys.argv[1:]
c=int(c)
def tell(m):os.write(2,(m+'\n').encode())
def fail(e):
 tell('!'+(e.strerror or str(e)));os._exit(1)
def linger(n):s.setsockopt(k.SOL_SOCKET,k.SO_LINGER,struct.pack('ii',n,0))
try:
 for a in k.getaddrinfo(h,p,0,k.SOCK_STREAM):
  s=k.socket(*a[:3]);linger(1)
  try:s.connect(a[4]);break
  except OSError as e:d=e
 else:raise d
except OSError as e:fail(e)
s.setsockopt(6,k.TCP_NODELAY,1);s.setblocking(False);tell('o')
def passed():
 global u,v
 u+=1
 if x or u>7 or v>262143:tell('\n'.join('.'*u));u=v=0
i=bytearray();w=b'';f={};n=t=u=v=0;d=z=x=None
while not(z and x):
 R,_,_=select.select([0]+([s]if c>0 and not z else[]),[s]if w else[],[])
 if 0 in R:
  b=os.read(0,262144)
  if not b:os._exit(1)
  i+=b
  while 1:
   a=i.find(b'\n')+1
   if not a:break
   m=[int(v)for v in i[:a].split()]
   if i[0]==43:c+=m[0];del i[:a];continue
   l=a+m[1]
   if len(i)<l:break
   f[m[0]]=bytes(i[a:l]);del i[:l]
 while w or n in f:
  if not w:
   w=f.pop(n);n+=1
   if not w:
    try:s.shutdown(1)
    except OSError as e:d=e
    linger(0);x=1;passed();break
  try:
   l=len(w)if d else s.send(w)
   v+=l;w=w[l:]
  except BlockingIOError:break
  except OSError as e:d=e;w=b''
  if not w:passed()
 if s in R:
  try:b=s.recv(min(c,65536))
  except BlockingIOError:continue
  except OSError as e:fail(e)
  t+=len(b);c-=len(b)
  if not b:
   if d:fail(d)
   z=1;tell('%d bytes'%t)
  while b:b=b[os.write(1,b):]`;
