/* dynamo: the bench's items through DynamoDB's API, on a server that listens on this machine's loopback (dynalite): one client, one connection that is
 * kept open.
 *
 *   dynamo [-n ITEMS] [-b BYTES] PORT
 *
 * Makes a table and prints a line of JSON a phase, as `files` does, with "phase" in it: create (PutItem of new items), overwrite, read (GetItem), query (ten items of a
 * partition that holds all). Requests carry a signature's form and no signature: dynalite looks no further.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ROOM = 1 << 17 };

static struct {
	long items, bytes;
	int port, connection;
	char body[ROOM], request[ROOM + 1024], answer[ROOM], filling[ROOM / 2];
} bench = {.items = 1000, .bytes = 300};

static void die(const char *what)
{
	fprintf(stderr, "dynamo: %s\n", what);
	exit(1);
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void connect_to_server(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)bench.port)};
	int on = 1;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	bench.connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bench.connection < 0 || connect(bench.connection, (struct sockaddr *)&address, sizeof(address)) != 0)
		die("nobody listens there");
	setsockopt(bench.connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static void send_all(const char *bytes, size_t n)
{
	while (n > 0) {
		ssize_t sent = write(bench.connection, bytes, n);

		if (sent <= 0)
			die("the connection broke");
		bytes += sent;
		n -= (size_t)sent;
	}
}

/* Reads an answer whole; its length is said in its head. */
static void read_answer(void)
{
	size_t have = 0;

	for (;;) {
		ssize_t n = read(bench.connection, bench.answer + have, sizeof(bench.answer) - 1 - have);
		const char *end, *length;

		if (n <= 0)
			die("the server hung up, or its answer is too long");
		have += (size_t)n;
		bench.answer[have] = '\0';
		end = strstr(bench.answer, "\r\n\r\n");
		length = end ? strcasestr(bench.answer, "content-length:") : NULL;
		if (length && length < end && have >= (size_t)(end + 4 - bench.answer) + strtoul(length + 15, NULL, 10))
			return;
	}
}

__attribute__((format(printf, 2, 3))) static void call(const char *operation, const char *format, ...)
{
	va_list list;
	int body, n;

	va_start(list, format);
	body = vsnprintf(bench.body, sizeof(bench.body), format, list);
	va_end(list);
	n = snprintf(bench.request, sizeof(bench.request),
		     "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-amz-json-1.0\r\n"
		     "X-Amz-Target: DynamoDB_20120810.%s\r\nX-Amz-Date: 20200101T000000Z\r\n"
		     "Authorization: AWS4-HMAC-SHA256 Credential=a/20200101/us-east-1/dynamodb/aws4_request, "
		     "SignedHeaders=host, Signature=b\r\nContent-Length: %d\r\n\r\n%s",
		     operation, body, bench.body);
	if (body >= (int)sizeof(bench.body) || n >= (int)sizeof(bench.request))
		die("a request is too long");
	send_all(bench.request, (size_t)n);
	read_answer();
	if (strncmp(bench.answer, "HTTP/1.1 200", 12) != 0)
		die(bench.answer);
}

static void put(long number)
{
	call("PutItem",
	     "{\"TableName\":\"bench\",\"Item\":{\"pk\":{\"S\":\"p\"},\"sk\":{\"S\":\"%08ld\"},\"Number\":{\"N\":\"%ld\"},"
	     "\"Filling\":{\"S\":\"%s\"}}}",
	     number, number, bench.filling);
}

static void get(long number)
{
	call("GetItem", "{\"TableName\":\"bench\",\"Key\":{\"pk\":{\"S\":\"p\"},\"sk\":{\"S\":\"%08ld\"}}}", number);
	if (!strstr(bench.answer, "\"Item\""))
		die("an item is missing");
}

static void query(long number)
{
	call("Query",
	     "{\"TableName\":\"bench\",\"Limit\":10,\"KeyConditionExpression\":\"pk = :p AND sk >= :s\","
	     "\"ExpressionAttributeValues\":{\":p\":{\"S\":\"p\"},\":s\":{\"S\":\"%08ld\"}}}",
	     number);
}

static void make_table(void)
{
	call("CreateTable",
	     "{\"TableName\":\"bench\",\"AttributeDefinitions\":[{\"AttributeName\":\"pk\",\"AttributeType\":\"S\"},"
	     "{\"AttributeName\":\"sk\",\"AttributeType\":\"S\"}],\"KeySchema\":[{\"AttributeName\":\"pk\",\"KeyType\":\"HASH\"},"
	     "{\"AttributeName\":\"sk\",\"KeyType\":\"RANGE\"}],\"BillingMode\":\"PAY_PER_REQUEST\"}");
	for (int tries = 0; tries < 600; tries++) {
		call("DescribeTable", "{\"TableName\":\"bench\"}");
		if (strstr(bench.answer, "ACTIVE"))
			return;
		usleep(100000);
	}
	die("the table does not become active");
}

static void phase(const char *name, void (*one)(long number))
{
	double from = seconds();

	for (long i = 0; i < bench.items; i++)
		one(i * 7919 % bench.items);
	printf("{\"phase\":\"%s\",\"ops\":%ld,\"seconds\":%.6f,\"errors\":0,\"errno\":\"\"}\n", name, bench.items, seconds() - from);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	int letter;

	while ((letter = getopt(argc, argv, "n:b:")) != -1) {
		if (letter == 'n')
			bench.items = strtol(optarg, NULL, 10);
		else if (letter == 'b')
			bench.bytes = strtol(optarg, NULL, 10);
		else
			return 2;
	}
	if (argc - optind != 1 || bench.items < 1 || bench.bytes < 100 || bench.bytes > ROOM / 4) {
		fprintf(stderr, "usage: dynamo [-n ITEMS] [-b BYTES] PORT\n");
		return 2;
	}
	bench.port = atoi(argv[optind]);
	memset(bench.filling, 'x', (size_t)bench.bytes - 60);
	connect_to_server();
	make_table();
	phase("create", put);
	phase("overwrite", put);
	phase("read", get);
	phase("query", query);
	close(bench.connection);
	return 0;
}
