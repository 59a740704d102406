// kstatus reads one object a line and says what Flux, Argo CD and others that use it make of it.
package main

import (
	"bufio"
	"fmt"
	"log"
	"os"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
)

const longest = 4 << 20 // bytes: what etcd takes, and room

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, longest)
	for lines.Scan() {
		var object unstructured.Unstructured
		if err := object.UnmarshalJSON(lines.Bytes()); err != nil {
			log.Fatal(err)
		}
		found, err := status.Compute(&object)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(found.Status)
	}
	if err := lines.Err(); err != nil {
		log.Fatal(err)
	}
}
