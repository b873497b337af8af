/**
 * The relay in Perl, with what `perl-base` has.
 *
 * Arguments: host, port, and how many bytes may be read of the connection. Standard input has frames: a sequence number,
 * a length and that many bytes, which may arrive in another order, or length 0 for the end; and `+N`, which allows N more
 * bytes. Standard output has what the other side sends. Standard error has a line for each event: `o` connected, `.` a
 * frame was passed on (small ones are reported eight at a time), `N bytes` the other side has ended after N bytes, `!` an error.
 *
 * Until its own end was sent, a relay that dies resets the connection: what was cut off must not look complete.
 */
export const PERL = String.raw`use Socket qw(:DEFAULT getaddrinfo IPPROTO_TCP TCP_NODELAY);use IO::Handle;
my($h,$p,$c)=@ARGV;my($n,$t,$u,$v,$i,$w,%f,$s,$k,$d,$z,$x)=(0,0,0,0,'','');
$SIG{PIPE}='IGNORE';
sub tell_{my$m="@_\n";syswrite STDERR,$m}
sub fail{tell_("!@_");exit 1}
sub passed{$u++;if($x||$u>7||$v>262143){tell_(join"\n",('.')x$u);$u=$v=0}}
sub linger{setsockopt$s,SOL_SOCKET,SO_LINGER,pack'ii',@_,0}
my($e,@a)=getaddrinfo($h,$p,{socktype=>SOCK_STREAM});
fail($e)if$e;
for(@a){socket($s,$_->{family},SOCK_STREAM,0)&&linger(1)&&connect($s,$_->{addr})and$x=1,last;$e="$!"}
fail($e)if!$x;
$x=0;setsockopt$s,IPPROTO_TCP,TCP_NODELAY,1;$s->blocking(0);tell_('o');
until($z&&$x){
my($R,$W)=('','');vec($R,0,1)=1;vec($R,fileno$s,1)=1 if$c>0&&!$z;vec($W,fileno$s,1)=1 if$w ne'';
select$R,$W,undef,undef;
if(vec$R,0,1){
sysread(STDIN,$i,262144,length$i)or exit 1;
for(;;){
if($i=~/^\+(\d+)\n/){$c+=$1;substr$i,0,$+[0],''}
elsif($i=~/^(\d+) (\d+)\n/&&length$i>=$+[0]+$2){my($q,$l)=($1,$2);substr$i,0,$+[0],'';$f{$q}=substr$i,0,$l,''}
else{last}}}
while($w ne''||exists$f{$n}){
if($w eq''){
$w=delete$f{$n++};
if($w eq''){shutdown$s,1;linger(0);$x=1;passed();last}}
$k=$d?length$w:syswrite$s,$w;
if(!defined$k){last if$!{EAGAIN};$d="$!";$k=length$w}
$v+=$k;substr$w,0,$k,'';passed()if$w eq''}
if(vec$R,fileno$s,1){
$k=sysread$s,my$b,$c<65536?$c:65536;
if(!defined$k){fail("$!")if!$!{EAGAIN}}
elsif($k){$t+=$k;$c-=$k;while($b ne''){$k=syswrite(STDOUT,$b)||exit 1;substr$b,0,$k,''}}
else{fail($d)if$d;$z=1;tell_("$t bytes")}}}`;
